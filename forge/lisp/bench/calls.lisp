;;;; Function calls: plain recursion, the ways to pass arguments, closures.

;;; Takeuchi's function: nothing but calls, comparisons and small numbers.

(defun tak (x y z)
  (if (< y x)
      (tak (tak (1- x) y z) (tak (1- y) z x) (tak (1- z) x y))
      z))

(define-benchmark "tak" 80 (tak 18 12 6) 7)

;;; Fibonacci's numbers, the slow way.

(defun fib (n)
  (if (< n 2)
      n
      (+ (fib (- n 1)) (fib (- n 2)))))

(define-benchmark "fib" 300 (fib 20) 6765)

;;; Ackermann's function, whose stack is deep.

(defun ack (m n)
  (cond ((= m 0) (+ n 1))
        ((= n 0) (ack (- m 1) 1))
        (t (ack (- m 1) (ack m (- n 1))))))

(define-benchmark "ack" 20 (ack 3 6) 509)

;;; Optional, keyword and rest arguments; several values; APPLY.

(defun args-optional (a &optional (b 2) (c (+ a b)))
  (+ a (+ b c)))

(defun args-key (a &key (b 2) (c 3))
  (+ a (- b c)))

(defun args-rest (a &rest more)
  (if more (+ a (car more)) a))

(defun args-quotient (a b)
  (values (floor a b) (rem a b)))

(defun args-all (count)
  (let ((sum 0) (list (list 1 2 3)))
    (dotimes (i count)
      (setq sum (logand 8191 (+ sum (args-optional i) (args-optional i 1) (args-optional i 1 1))))
      (setq sum (logand 8191 (+ sum (args-key i) (args-key i :c 7) (args-key i :c 1 :b 5))))
      (setq sum (logand 8191 (+ sum (args-rest i) (args-rest i 4 5 6) (apply #'args-rest i list))))
      (multiple-value-bind (quotient remainder) (args-quotient i 7)
        (setq sum (logand 8191 (+ sum quotient remainder)))))
    sum))

(define-benchmark "args" 200 (args-all 500) 4212)

;;; Closures: made, kept, called, and changing what they close over.

(defun closure-adder (n)
  #'(lambda (x) (+ x n)))

(defun closure-compose (f g)
  #'(lambda (x) (funcall f (funcall g x))))

(defun closure-counter ()
  (let ((count 0))
    #'(lambda (step) (setq count (logand 1023 (+ count step))))))

(defun closure-all (count)
  (let ((both (closure-compose (closure-adder 3) (closure-adder -1)))
        (counter (closure-counter))
        (list (list 1 2 3 4 5)))
    (dotimes (i count)
      (funcall counter (funcall both i))
      (dolist (x (mapcar (closure-adder i) list))
        (funcall counter x)))
    (funcall counter 0)))

(define-benchmark "closures" 200 (closure-all 500) 264)
