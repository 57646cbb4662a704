;;;; Leaving and entering: CATCH and THROW, clean-up forms, exits through closures,
;;;; dynamic binding.

;;; Takeuchi's function whose values are thrown to the caller.

(defun ctak (x y z)
  (catch 'ctak (ctak-throw x y z)))

(defun ctak-throw (x y z)
  (if (< y x)
      (ctak-throw (catch 'ctak (ctak-throw (1- x) y z))
                  (catch 'ctak (ctak-throw (1- y) z x))
                  (catch 'ctak (ctak-throw (1- z) x y)))
      (throw 'ctak z)))

(define-benchmark "ctak" 70 (ctak 12 8 4) 5)

;;; Takeuchi's function whose arguments are special variables.

(defvar *stak-x* 0)
(defvar *stak-y* 0)
(defvar *stak-z* 0)

(defun stak (*stak-x* *stak-y* *stak-z*)
  (stak-step))

(defun stak-step ()
  (if (< *stak-y* *stak-x*)
      (let ((x (let ((*stak-x* (1- *stak-x*)))
                 (stak-step)))
            (y (let ((*stak-x* (1- *stak-y*)) (*stak-y* *stak-z*) (*stak-z* *stak-x*))
                 (stak-step)))
            (z (let ((*stak-x* (1- *stak-z*)) (*stak-y* *stak-x*) (*stak-z* *stak-y*))
                 (stak-step))))
        (stak x y z))
      *stak-z*))

(define-benchmark "stak" 200 (stak 14 9 4) 9)

;;; A special variable that is far away on the stack.

(defvar *special-step* 1)

(defun special-sum (depth count)
  (if (= depth 0)
      (let ((sum 0))
        (dotimes (i count sum)
          (setq sum (logand 4095 (+ sum *special-step*)))))
      (+ 0 (special-sum (- depth 1) count))))

(define-benchmark "special" 1000
  (let ((*special-step* 5))
    (special-sum 100 5000))
  424)

;;; Searches that end early, through a closure and through clean-up forms.

(defun unwind-find (list limit)
  (block found
    (mapc #'(lambda (x) (if (> x limit) (return-from found x) nil)) list)
    0))

(defun unwind-all (count)
  (let ((sum 0) (cleaned 0) (list (list 1 2 3 5 8 13 21 34)))
    (dotimes (i count)
      (unwind-protect
           (setq sum (logand 4095 (+ sum (unwind-find list (rem i 40)))))
        (setq cleaned (+ cleaned 1)))
      (catch 'unwind
        (unwind-protect (throw 'unwind i)
          (setq cleaned (+ cleaned 1)))))
    (+ sum cleaned)))

(define-benchmark "unwind" 100 (unwind-all 400) 3854)
