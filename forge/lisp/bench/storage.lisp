;;;; Storage: what is made and dropped, at once or later.

;;; Lists dropped at once.

(defun churn-lists (count length)
  (let ((sum 0))
    (dotimes (i count sum)
      (let ((list nil))
        (dotimes (k length)
          (setq list (cons k list)))
        (setq sum (logand 8191 (+ sum (car list))))))))

(define-benchmark "cons" 200 (churn-lists 100 100) 1708)

;;; A queue in which everything lives for a while. What leaves it is cut off: otherwise
;;; a collector that counts references would not hear of it.

(defun queue-run (count length)
  (let* ((head (list nil)) (tail head) (size 0) (sum 0))
    (dotimes (i count)
      (setq tail (cdr (rplacd tail (list (list i (- i))))))
      (if (= size length)
          (let ((first head))
            (setq head (cdr head))
            (rplacd first nil)
            (setq sum (logand 8191 (+ sum (car (car head)) (cadr (car head))))))
          (setq size (+ size 1))))
    (+ sum size)))

(define-benchmark "queue" 150 (queue-run 5000 500) 500)

;;; Vectors, strings, closures and floating point numbers of several sizes.

(defun mixture-make (i)
  (case (rem i 4)
    (0 (make-array (+ 1 (rem i 30)) :initial-element i))
    (1 (make-string (+ 1 (rem i 50)) :initial-element #\x))
    (2 #'(lambda () i))
    (t (float i))))

(defun mixture-worth (x)
  (cond ((null x) 0)
        ((stringp x) (length x))
        ((vectorp x) (svref x 0))
        ((floatp x) (if (> x 100.0) 1 0))
        (t (funcall x))))

(defun mixture-run (count)
  (let ((kept (make-array 64 :initial-element nil)) (sum 0))
    (dotimes (i count sum)
      (let ((place (logand (* i 5) 63)))
        (setq sum (logand 8191 (+ sum (mixture-worth (svref kept place)))))
        (setf (svref kept place) (mixture-make i))))))

(define-benchmark "mixture" 200 (mixture-run 1000) 3593)
