;;;; Loops that do one kind of thing, for counting host instructions. Bare Lisp: there
;;;; is nothing but the machine and the linker. IL:\COLD-START comes last, from the
;;;; benchmark; it calls one of the functions with a number of turns.

(defvar *hidden* nil)
(declaim (si:global *hidden*))

;; The macros are not part of the image.
(eval-when (:compile-toplevel)

  (defmacro turns (count &rest body)
    "BODY ten times that many times, at least ten times: so little of what is counted is
the loop."
    (list 'let (list (list '%turns count))
          (list 'tagbody '%again
                (cons 'progn (append body body body body body body body body body body))
                '(setq %turns (- %turns 1))
                '(if (eq %turns 0) nil (go %again)))))

  (defmacro hidden (value)
    "VALUE, which the compiler does not know."
    (list 'progn (list 'setq '*hidden* value) '*hidden*))

  (defmacro finish (status)
    (list 'opcodes '(subrcall 13 2) nil status)))

(defun il:\\doreclaim ()
  (opcodes (subrcall 92 0)))

;;; Variables, constants, the evaluation stack.

(defun variables (count)
  (let ((a (hidden 1)) (b (hidden 2)) (c (hidden 3)) (d (hidden 4)))
    (turns count
      (setq a b b c c d d a)
      (setq d 1000 c 'symbol b "constant" a -5)
      (setq a count))
    d))

;;; Jumps and comparisons.

(defun branches (count)
  (let ((small (hidden 3)) (large (hidden 500)) (found (hidden 0)))
    (turns count
      (if (< small large) (setq found small))
      (if (eq small large) (setq found large))
      (if (= small found) nil (setq found large))
      (if (or (> small large) (eql found small)) (setq found small) (setq found large))
      (if (and small large) (setq found nil) (setq found small))
      (setq found 0))
    found))

;;; Integers that stay small.

(defun integers (count)
  (let ((a (hidden 17)) (b (hidden 4)) (c (hidden 0)))
    (turns count
      (setq c (+ a b))
      (setq c (- c a))
      (setq c (* a b))
      (setq c (opcodes (iquotient) c 3))
      (setq c (opcodes (iremainder) c 7))
      (setq c (opcodes (logand2) (opcodes (lrsh1) a) (opcodes (logxor2) b 5)))
      (setq c (opcodes (lsh) c 2)))
    c))

;;; Integers that need boxes.

(defun boxed-integers (count)
  (let ((a (hidden 100000)) (b (hidden 0)))
    (turns count
      (setq b (+ a 70000))
      (setq b (- b a))
      (if (> a b) (setq b a)))
    b))

;;; Floating point numbers.

(defun floats (count)
  (let ((a (hidden 1.5)) (b (hidden 0.25)) (c (hidden 0.0)))
    (turns count
      (setq c (opcodes (fplus2) a b))
      (setq c (opcodes (ftimes2) c b))
      (setq c (opcodes (fdifference) c a))
      (if (opcodes (fgreaterp) a c) (setq c b)))
    c))

;;; Words and pointers in memory.

(defun memory (count)
  (let ((place (opcodes (createcell) 32)) (word 0))
    (turns count
      (opcodes (putbase.n 1) place 77)
      (setq word (opcodes (getbase.n 1) place))
      (opcodes (putbaseptr.n 2) place nil)
      (setq word (opcodes (getbaseptr.n 2) place))
      (opcodes (putbasebyte) place 1 200)
      (setq word (opcodes (getbasebyte) place 1))
      (setq word (opcodes (getbase.n 0) (opcodes (addbase) place 2))))
    word))

;;; Types.

(defun types (count)
  (let ((list (hidden '(1 2))) (string (hidden "text")) (type (hidden nil)))
    (turns count
      (setq type (opcodes (listp) list))
      (setq type (opcodes (listp) string))
      (setq type (opcodes (ntypx) string))
      (setq type (opcodes (typep 5) list))
      (setq type (opcodes (typep 5) string)))
    type))

;;; Lists that are there.

(defun lists (count)
  (let ((list (hidden '(a b c d e f g h))) (rest (hidden nil)) (sum (hidden nil)))
    (turns count
      (setq rest list)
      (tagbody
       next
         (setq sum (car rest))
         (setq rest (cdr rest))
         (if rest (go next))))
    sum))

(defun list-search (count)
  (let ((list (hidden '(a b c d e f g h)))
        (pairs (hidden '((a . 1) (b . 2) (c . 3) (d . 4))))
        (found nil))
    (turns count
      (setq found (opcodes (fmemb) 'g list))
      (setq found (opcodes (assoc) 'd pairs))
      (setq found (opcodes (listget) list 'e)))
    found))

;;; Vectors and strings.

(defun arrays (count)
  (let ((vector (hidden '#(1 2 3 4))) (string (hidden "characters")) (element (hidden nil)))
    (turns count
      (setq element (opcodes (aref1) vector 3))
      (opcodes (aset1) 7 vector 2)
      (setq element (opcodes (aref1) string 5)))
    element))

;;; Global variables, special variables.

(defvar *special* 0)
(defvar *global* 0)
(declaim (si:global *global*))

(defun globals (count)
  (turns count
    (setq *global* *special*)
    (setq *global* nil))
  *global*)

(defun special-reader (deep)
  (if (eq deep 0)
      *special*
      (+ 0 (special-reader (- deep 1)))))

(defun free-variables (count)
  (let ((*special* 5))
    (turns count
      (special-reader 3)))
  nil)

(defun bindings (count)
  (turns count
    (let ((*special* 1))
      (setq *special* 2))))

;;; Calls.

(defun callee-0 () nil)
(defun callee-1 (a) a)
(defun callee-2 (a b) a b)
(defun callee-4 (a b c d) a b c d)
(defun callee-any (a &rest more) a more)

(defun calls (count)
  (turns count
    (callee-0)
    (callee-1 1)
    (callee-2 1 2)
    (callee-4 1 2 3 4)))

(defun calls-changed (count)
  "Arguments too few, too many, a list of the rest."
  (turns count
    (opcodes (fn1 callee-4) 1)
    (opcodes (fn4 callee-1) 1 2 3 4)
    (callee-any 1 2 3)))

(defun calls-by-value (count)
  (let ((function (hidden #'callee-2)))
    (turns count
      (opcodes (applyfn) 1 2 2 function)
      (opcodes (applyfn) 1 1 'callee-1))))

(defun fib (n)
  (if (< n 2)
      n
      (+ (fib (- n 1)) (fib (- n 2)))))

;;; Storage.

(defun conses (count)
  "Lists of ten elements, dropped at once."
  (turns count
    (let ((list nil))
      (turns 1
        (setq list (cons 1 list))))))

(defun kept-conses (count)
  "A list that grows."
  (let ((list nil))
    (turns count
      (setq list (cons 1 list)))
    list))

(defun stores (count)
  "Counted stores into a cell."
  (let ((cell (cons nil nil)) (a (cons 1 nil)) (b (cons 2 nil)))
    (turns count
      (opcodes (rplaca) cell a)
      (opcodes (rplaca) cell b))
    cell))

(defun cells (count)
  (turns count
    (opcodes (createcell) 31)
    (opcodes (createcell) 3)))

(defun reclaims (count)
  "Reclaims of one list cell."
  (turns count
    (cons 1 nil)
    (il:\\doreclaim)))

(defun below (frames count)
  (if (eq frames 0)
      (reclaims count)
    (progn (below (- frames 1) count) nil)))

(defun deep-reclaims (count)
  "The same while three hundred functions are active."
  (below 300 count))
