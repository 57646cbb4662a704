;;;; The benchmarks as a program on the built-in Lisp. The session ends with a status
;;;; and can be continued.

(defun bench-hand-over (status)
  (opcodes (subrcall 13 2) nil status))

(defun main ()
  (bench-obey #'bench-hand-over))
