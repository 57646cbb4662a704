;;;; Functions whose code is looked at.

(declaim (ftype function error append copy-structure mapc-like f g))
(defvar *special* 1)
(defvar *global* '(a b))
(declaim (si:global *global*))
(defconstant +limit+ 100)
(defstruct point x (y 0))

;; Tail position, jumps, comparisons, small constants.
(defun tak (x y z)
  (if (not (< y x))
      z
      (tak (tak (1- x) y z) (tak (1- y) z x) (tak (1- z) x y))))

(defun fib (n)
  (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))

(defun sum-to (n)
  (let ((sum 0))
    (dotimes (i n sum)
      (setq sum (+ sum i)))))

(defun length-of (list)
  (do ((n 0 (1+ n)) (rest list (cdr rest))) ((null rest) n)))

(defun classify (x)
  (cond ((null x) 'nothing)
        ((and (consp x) (eq (car x) 'quote)) (cadr x))
        ((or (eql x 1) (eql x 1.5) (equal x "a")) :known)
        ((<= 0 x +limit+) x)
        (t (error "no ~S" x))))

(defun case-of (x)
  (case x (1 'one) ((2 3) 'few) (a 'letter) (t 'many)))

(defun predicates (x)
  (list (consp x) (null x) (if (floatp x) 1 2) (and (symbolp x) (listp x))))

;; Constants of all kinds.
(defun constants ()
  (list 0 1 -1 255 256 -256 -257 65535 65536 1.5 #\a "text" 'symbol :key '(1 . 2)
        123456789012345678901 nil t))

;; Variables of all kinds.
(defun variables (a)
  (setq a (list a *special* *global*) *special* a *global* 5)
  (let ((*special* (f a)) (b (g a)))
    (setq b (+ b *special*) *special* b)
    b))

(defun many-variables (a b c d e f g h)
  (let* ((i (list a b)) (j (list c d)) (k (list e f)) (l (list g h)) (m i) (n j) (o k) (p l))
    (setq h p a m)
    (list a b c d e f g h i j k l m n o p)))

;; Calls.
(defun calls (x function)
  (f) (f x) (f x 2 3 4) (f 1 2 3 4 5)
  (funcall function x 1)
  (apply function x '(1 2))
  (f (g x) (funcall #'f 1)))

(defun parameters (a &optional (b 1) (c 2 c-p) &rest d &key e (f 3 f-p) &aux (g a))
  (list a b c c-p d e f f-p g))

;; Closures.
(defun counter (n)
  #'(lambda (step) (setq n (+ n step))))

(defun no-closure (list)
  (f #'(lambda (x) (list x)) list))

(defun local-functions (n)
  (flet ((twice (x) (* 2 x)) (plus (x) (+ x n)))
    (labels ((loop-on (i) (if (= i 0) 0 (plus (loop-on (- i 1))))))
      (list (twice n) (loop-on n) #'plus))))

(defun nested-closures (a)
  (let ((b (f a)))
    #'(lambda (c) #'(lambda () (setq b (list a b c))))))

;; Leaving.
(defun leave (list)
  (block outer
    (f (block inner
         (if list (return-from outer 1) (return-from inner 2))))
    (mapc-like #'(lambda (x) (return-from outer x)) list)))


(defun catching (x)
  (catch 'tag
    (let ((*special* x))
      (f x)
      (throw 'tag (values 1 2)))))

(defun protected (x)
  (unwind-protect (f x) (g x)))

(defun several (x)
  (multiple-value-bind (a b) (f x)
    (multiple-value-call #'g a (f b) (values 1 2))))

(defun several-more (x)
  (multiple-value-prog1 (f x) (g x)))

;; Floats, records, arrays, lists.
(defun norm (x y)
  (declare (single-float x y))
  (if (> x y) (+ (* x x) (* y y) 1.0) (- x)))

(defun move (point dx)
  (incf (point-x point) dx)
  (setf (point-y point) (aref dx 0))
  (setf (aref dx 1) (make-point :x 1))
  (point-p dx))

(defun lists (x)
  (setf (car x) 1 (cddr x) nil)
  (push 5 (cdr x))
  `(a ,x ,@x b))

;; Order of evaluation with assignments.
(defun order (x)
  (list x (setq x (f x)) (< x (setq x 2)) (- x (f x))))

(defun branches (x y)
  (when (or (and x (not y)) (if x (f y) (g y))) (f 1))
  (unless (and (f x) (progn (g x) y)) (f 2))
  (and (f x) (or (g x) y)))
