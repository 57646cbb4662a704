;;;; Symbolic work: pattern matching and rewriting of terms.

;;; A prover of theorems: terms are rewritten with the equations kept on the property
;;; lists of their operators, until only IF is left; then all cases are tried.

(defvar *prover-bindings* nil)

(defun prover-add (left right)
  (setf (get (car left) 'prover-rules)
        (cons (cons left right) (get (car left) 'prover-rules))))

(defun prover-match-p (pattern term)
  "Whether TERM is an instance of PATTERN, whose atoms are variables."
  (cond ((atom pattern)
         (let ((known (assoc pattern *prover-bindings*)))
           (cond (known (equal (cdr known) term))
                 (t (setq *prover-bindings* (cons (cons pattern term) *prover-bindings*))
                    t))))
        ((atom term) nil)
        ((eq (car pattern) (car term)) (prover-match-all-p (cdr pattern) (cdr term)))
        (t nil)))

(defun prover-match-all-p (patterns terms)
  (cond ((null patterns) (null terms))
        ((null terms) nil)
        ((prover-match-p (car patterns) (car terms))
         (prover-match-all-p (cdr patterns) (cdr terms)))
        (t nil)))

(defun prover-instance (pattern bindings)
  (if (atom pattern)
      (let ((known (assoc pattern bindings)))
        (if known (cdr known) pattern))
      (cons (car pattern)
            (mapcar #'(lambda (part) (prover-instance part bindings)) (cdr pattern)))))

(defun prover-rewrite (term)
  (if (atom term)
      term
      (prover-rewrite-with (cons (car term) (prover-rewrite-all (cdr term)))
                           (get (car term) 'prover-rules))))

(defun prover-rewrite-all (terms)
  (if terms
      (cons (prover-rewrite (car terms)) (prover-rewrite-all (cdr terms)))
      nil))

(defun prover-rewrite-with (term rules)
  (cond ((null rules) term)
        ((progn
           (setq *prover-bindings* nil)
           (prover-match-p (caar rules) term))
         (prover-rewrite (prover-instance (cdar rules) *prover-bindings*)))
        (t (prover-rewrite-with term (cdr rules)))))

(defun prover-true-p (term facts)
  (or (equal term '(true)) (member term facts :test #'equal)))

(defun prover-false-p (term facts)
  (or (equal term '(false)) (member term facts :test #'equal)))

(defun prover-tautology-p (term true false)
  "Whether TERM holds where all of TRUE hold and none of FALSE."
  (cond ((prover-true-p term true) t)
        ((prover-false-p term false) nil)
        ((atom term) nil)
        ((not (eq (car term) 'either)) nil)
        ((prover-true-p (cadr term) true)
         (prover-tautology-p (caddr term) true false))
        ((prover-false-p (cadr term) false)
         (prover-tautology-p (cadddr term) true false))
        (t (and (prover-tautology-p (caddr term) (cons (cadr term) true) false)
                (prover-tautology-p (cadddr term) true (cons (cadr term) false))))))

(defun prover-set-up ()
  (dolist (operator '(either conj disj neg implies iff sum product join turn length-of less))
    (setf (get operator 'prover-rules) nil))
  (dolist (rule '(((either (either p q r) x y) (either p (either q x y) (either r x y)))
                  ((conj p q) (either p (either q (true) (false)) (false)))
                  ((disj p q) (either p (true) (either q (true) (false))))
                  ((neg p) (either p (false) (true)))
                  ((implies p q) (either p (either q (true) (false)) (true)))
                  ((iff p q) (conj (implies p q) (implies q p)))
                  ((sum (sum x y) z) (sum x (sum y z)))
                  ((sum (zero) x) x)
                  ((sum (next x) y) (next (sum x y)))
                  ((product (sum x y) z) (sum (product x z) (product y z)))
                  ((product (zero) x) (zero))
                  ((product (next x) y) (sum y (product x y)))
                  ((join (join x y) z) (join x (join y z)))
                  ((join (none) x) x)
                  ((turn (join x y)) (join (turn y) (turn x)))
                  ((turn (turn x)) x)
                  ((length-of (join x y)) (sum (length-of x) (length-of y)))
                  ((length-of (turn x)) (length-of x))
                  ((less x x) (false))
                  ((less (zero) (next x)) (true))))
    (prover-add (car rule) (cadr rule))))

(prover-set-up)

(defvar *prover-theorem*
  (prover-instance
   '(implies (conj (implies p q) (conj (implies q r) (implies r s)))
             (implies p s))
   '((p . (less (sum (sum a b) (sum c (zero))) (sum a b)))
     (q . (less (product (next (next a)) b) c))
     (r . (less (length-of (join (turn (join x y)) z)) (length-of x)))
     (s . (neg (less (turn (turn x)) y))))))

(define-benchmark "prover" 9
  (if (prover-tautology-p (prover-rewrite *prover-theorem*) nil nil) 'proved 'open)
  proved)

;;; A library of lists, looked through for what fits patterns: ? stands for one
;;; element, * for any number of them.

(defvar *browse-seed* 1)

(defun browse-random (limit)
  (setq *browse-seed* (rem (+ (* *browse-seed* 13) 7) 509))
  (rem *browse-seed* limit))

(defun browse-match-p (pattern data)
  (cond ((null pattern) (null data))
        ((eq (car pattern) '*)
         (or (browse-match-p (cdr pattern) data)
             (and data (browse-match-p pattern (cdr data)))))
        ((null data) nil)
        ((or (eq (car pattern) '?) (eq (car pattern) (car data)))
         (browse-match-p (cdr pattern) (cdr data)))
        ((and (consp (car pattern)) (consp (car data)))
         (and (browse-match-p (car pattern) (car data))
              (browse-match-p (cdr pattern) (cdr data))))
        (t nil)))

(defun browse-entry (length depth)
  (let ((entry nil))
    (dotimes (i length)
      (setq entry
            (cons (if (and (> depth 0) (= (browse-random 3) 0))
                      (browse-entry (+ 1 (browse-random 3)) (- depth 1))
                      (nth (browse-random 4) '(a b c d)))
                  entry)))
    entry))

(defun browse-library (count)
  (let ((library nil))
    (setq *browse-seed* 1)
    (dotimes (i count)
      (setq library (cons (browse-entry (+ 4 (browse-random 6)) 2) library)))
    library))

(defun browse (library patterns)
  "How many entries fit patterns. The library is turned over after each look at it."
  (let ((found 0))
    (dolist (pattern patterns)
      (dolist (entry library)
        (if (browse-match-p pattern entry)
            (setq found (+ found 1))
            nil))
      (setq library (reverse library)))
    found))

(define-benchmark "browse" 100
  (browse (browse-library 100)
          '((* a * b * c *) (? * (* b *) * ?) (* (a * d) *) (* d ? * (* (? *) *) *) (a * * * a)))
  68)
