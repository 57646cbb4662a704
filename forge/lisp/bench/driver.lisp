;;;; Benchmarks: how they are written down and how they are measured. This file and the
;;;; others beside it are programs for any Common Lisp, including that of 1984.

(defvar *benchmarks* nil
  "For each benchmark its name, a function that does it once, and what that returns.")

;; COUNT evaluations of FORM are to take about a tenth of a second where 400 million byte
;; codes are executed in a second; only who asks for measurements needs to know it.
;; EXPECTED is not evaluated.
(defmacro define-benchmark (name count form expected)
  count
  (list 'setq '*benchmarks*
        (list 'cons
              (list 'list name (list 'function (list 'lambda nil form)) (list 'quote expected))
              '*benchmarks*)))

(defun bench-milliseconds ()
  (floor (get-internal-run-time) (floor internal-time-units-per-second 1000)))

(defun bench-repeat (function count)
  (let ((value nil))
    (dotimes (i count value)
      (setq value (funcall function)))))

(defun bench-measure (name count samples results)
  "Writes a line: NAME and how many milliseconds COUNT evaluations took, SAMPLES times.
A wrong value is named instead. Without a count there is nothing to measure."
  (let ((benchmark (assoc name *benchmarks* :test #'equal)))
    (princ name results)
    (dotimes (i samples)
      (let* ((start (bench-milliseconds))
             (value (bench-repeat (cadr benchmark) count))
             (end (bench-milliseconds)))
        (princ " " results)
        (if (or (= count 0) (equal value (caddr benchmark)))
            (princ (- end start) results)
            (progn (princ "wrong: " results) (prin1 value results)))))
    (terpri results)))

(defun bench-serve (requests results)
  "Does what the lists in the stream REQUESTS say: name, count and number of samples."
  (do ((request (read requests nil nil) (read requests nil nil)))
      ((null request))
    (bench-measure (car request) (cadr request) (caddr request) results)))

(defun bench-serve-files (requests results)
  "The same for files."
  (with-open-file (from requests :direction :input)
    (with-open-file (to results :direction :output)
      (bench-serve from to))))

;;; Under the control of a program outside.

(defvar *bench-number* 0
  "How many elements of *BENCHMARKS* are in front of the one to be measured.")
(defvar *bench-count* 0
  "How many times to evaluate it.")

(defun bench-obey (hand-over)
  "Has HAND-OVER called with a status for the program outside: 100 is ready to begin,
101 is right, 102 is wrong. When it returns, the variables say what to do next."
  (let ((status 100))
    (do () (nil)
      (funcall hand-over status)
      (let* ((benchmark (nth *bench-number* *benchmarks*))
             (value (bench-repeat (cadr benchmark) *bench-count*)))
        (setq status (if (equal value (caddr benchmark)) 101 102))))))
