;;;; The benchmarks in Medley. The session ends with a status and can be continued.

(defun bench-hand-over (status)
  ((il:opcodes il:subrcall 13 2) nil status))
