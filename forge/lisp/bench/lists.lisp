;;;; Lists: as numbers, reversed, cut and joined, made and dropped.

(defun list-down (n)
  "The numbers from N down to 1."
  (let ((list nil))
    (dotimes (i n)
      (setq list (cons (+ i 1) list)))
    list))

(defun list-sum (list)
  (let ((sum 0))
    (dolist (x list)
      (setq sum (+ sum x)))
    sum))

;;; Takeuchi's function; a number is a list of that length.

(defun takl-shorter-p (a b)
  (and b (or (null a) (takl-shorter-p (cdr a) (cdr b)))))

(defun takl (x y z)
  (if (takl-shorter-p y x)
      (takl (takl (cdr x) y z) (takl (cdr y) z x) (takl (cdr z) x y))
      z))

(defvar *takl-lists* (list (list-down 14) (list-down 9) (list-down 4)))

(define-benchmark "takl" 80 (length (apply #'takl *takl-lists*)) 9)

;;; Lists reversed with APPEND alone: garbage.

(defun nrev-append (a b)
  (if a
      (cons (car a) (nrev-append (cdr a) b))
      b))

(defun nrev (list)
  (if list
      (nrev-append (nrev (cdr list)) (list (car list)))
      nil))

(defvar *nrev-list* (list-down 60))

(define-benchmark "nrev" 1000 (car (nrev *nrev-list*)) 1)

;;; Lists changed in place: reversed, sorted into odd and even, joined.

(defun destructive-sort (list)
  "LIST with its odd elements in front."
  (let ((odd (list nil)) (even (list nil)) (odd-end nil) (even-end nil))
    (setq odd-end odd even-end even)
    (do ((rest list (cdr rest)))
        ((null rest))
      (if (oddp (car rest))
          (setq odd-end (cdr (rplacd odd-end rest)))
          (setq even-end (cdr (rplacd even-end rest)))))
    (rplacd even-end nil)
    (rplacd odd-end nil)
    (nconc (cdr odd) (cdr even))))

(defun destructive (length rounds)
  (let ((list (list-down length)))
    (dotimes (round rounds)
      (setq list (nreverse (destructive-sort list)))
      (do ((rest list (cdr rest)))
          ((null rest))
        (rplaca rest (logand 511 (+ (car rest) round)))))
    (- (list-sum list) (car list))))

(define-benchmark "destructive" 300 (destructive 200 20) 57711)

;;; Every other element of a list, in two ways.

(defun div2-loop (list)
  (do ((rest list (cddr rest))
       (half nil (cons (car rest) half)))
      ((null rest) half)))

(defun div2-recursive (list)
  (if list
      (cons (car list) (div2-recursive (cddr list)))
      nil))

(defvar *div2-list* (list-down 2000))

(define-benchmark "div2-loop" 2000 (car (div2-loop *div2-list*)) 2)

(define-benchmark "div2-recursive" 2000 (car (div2-recursive *div2-list*)) 2000)

;;; The derivatives of an expression.

(defun deriv (form variable)
  (cond ((atom form) (if (eq form variable) 1 0))
        ((eq (car form) '+) (cons '+ (deriv-all (cdr form) variable)))
        ((eq (car form) '-) (cons '- (deriv-all (cdr form) variable)))
        ((eq (car form) '*)
         (list '+
               (list '* (deriv (cadr form) variable) (caddr form))
               (list '* (cadr form) (deriv (caddr form) variable))))
        ((eq (car form) '/)
         (list '-
               (list '/ (deriv (cadr form) variable) (caddr form))
               (list '/
                     (list '* (cadr form) (deriv (caddr form) variable))
                     (list '* (caddr form) (caddr form)))))
        (t (list 'deriv form variable))))

(defun deriv-all (forms variable)
  (if forms
      (cons (deriv (car forms) variable) (deriv-all (cdr forms) variable))
      nil))

(defun list-count-atoms (x)
  "The number of atoms but NIL in a tree."
  (cond ((null x) 0)
        ((atom x) 1)
        (t (+ (list-count-atoms (car x)) (list-count-atoms (cdr x))))))

(defvar *deriv-form* '(+ (* 3 (* x x)) (/ (* a x) (- x 1)) (* b x) (/ 5 (+ x (* x y)))))

(define-benchmark "deriv" 600
  (list-count-atoms (deriv (deriv (deriv *deriv-form* 'x) 'x) 'x))
  1309)

;;; Trees that are made, copied, changed and compared.

(defun tree-make (depth)
  (if (= depth 0)
      (list 1 2)
      (cons (tree-make (- depth 1)) (tree-make (- depth 1)))))

(defun tree-all (depth)
  (let* ((tree (tree-make depth))
         (copy (copy-tree tree))
         (other (subst 7 2 copy)))
    (+ (list-count-atoms other)
       (if (equal tree copy) 1 0)
       (if (equal tree other) 0 2))))

(define-benchmark "tree" 100 (tree-all 9) 1027)
