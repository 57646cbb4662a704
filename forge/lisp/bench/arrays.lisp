;;;; Vectors: of anything, of numbers, sorted, multiplied.

;;; The sieve of Eratosthenes.

(defun sieve (size)
  (let ((prime (make-array size :initial-element t)) (count 0))
    (do ((i 2 (+ i 1)))
        ((= i size) count)
      (when (svref prime i)
        (setq count (+ count 1))
        (do ((k (+ i i) (+ k i)))
            ((>= k size))
          (setf (svref prime k) nil))))))

(define-benchmark "sieve" 300 (sieve 4000) 550)

;;; The product of matrices, stored row by row.

(defun matrix-make (size step)
  (let ((matrix (make-array (* size size) :initial-element 0)) (value 1))
    (dotimes (i (* size size))
      (setf (svref matrix i) (- value 16))
      (setq value (logand 31 (+ value step))))
    matrix))

(defun matrix-multiply (a b size)
  (let ((c (make-array (* size size) :initial-element 0)))
    (dotimes (i size)
      (dotimes (j size)
        (let ((sum 0) (p (* i size)) (q j))
          (dotimes (k size)
            (setq sum (+ sum (* (svref a p) (svref b q))))
            (setq p (+ p 1) q (+ q size)))
          (setf (svref c (+ (* i size) j)) sum))))
    c))

(defun matrix-trace (matrix size)
  (let ((sum 0))
    (dotimes (i size sum)
      (setq sum (+ sum (svref matrix (* i (+ size 1))))))))

(define-benchmark "matrix" 200
  (matrix-trace (matrix-multiply (matrix-make 20 7) (matrix-make 20 11) 20) 20)
  -1068)

;;; Quicksort, with the order as a function.

(defun sort-fill (size)
  (let ((vector (make-array size)) (value 17))
    (dotimes (i size vector)
      (setq value (rem (+ (* value 109) 89) 1021))
      (setf (svref vector i) value))))

(defun sort-quick (vector low high before)
  (when (< low high)
    (let ((pivot (svref vector (floor (+ low high) 2))) (i low) (j high))
      (do ()
          ((> i j))
        (do () ((not (funcall before (svref vector i) pivot))) (setq i (+ i 1)))
        (do () ((not (funcall before pivot (svref vector j)))) (setq j (- j 1)))
        (when (<= i j)
          (let ((moved (svref vector i)))
            (setf (svref vector i) (svref vector j))
            (setf (svref vector j) moved))
          (setq i (+ i 1) j (- j 1))))
      (sort-quick vector low j before)
      (sort-quick vector i high before))))

(defun sort-checksum (vector)
  "A sum that tells the order."
  (let ((sum 0))
    (dotimes (i (length vector) sum)
      (setq sum (logand 16383 (+ (* 2 sum) (svref vector i)))))))

(define-benchmark "quicksort" 80
  (let ((vector (sort-fill 500)))
    (sort-quick vector 0 499 #'<)
    (sort-checksum vector))
  1714)

;;; Bytes in a vector of bytes: how often each occurs.

(defun bytes-count (size)
  (let ((bytes (make-array size :element-type '(unsigned-byte 8) :initial-element 0))
        (counts (make-array 256 :initial-element 0))
        (value 1)
        (most 0))
    (dotimes (i size)
      (setq value (logand 255 (+ (* value 5) (logand i 15) 1)))
      (setf (aref bytes i) value))
    (dotimes (i size)
      (let ((byte (aref bytes i)))
        (setf (svref counts byte) (+ 1 (svref counts byte)))))
    (dotimes (i 256)
      (when (> (svref counts i) (svref counts most))
        (setq most i)))
    (+ (* 1000 (svref counts most)) most)))

(define-benchmark "bytes" 300 (bytes-count 3000) 12000)

;;; Structures: a graph whose nodes are marked again and again.

(defstruct traverse-node
  (mark nil)
  (number 0)
  (next nil))

(defvar *traverse-seed* 1)

(defun traverse-random (limit)
  (setq *traverse-seed* (rem (+ (* *traverse-seed* 13) 7) 509))
  (rem *traverse-seed* limit))

(defun traverse-graph (size)
  (let ((nodes (make-array size)))
    (setq *traverse-seed* 1)
    (dotimes (i size)
      (setf (svref nodes i) (make-traverse-node :number i)))
    (dotimes (i size)
      (let ((node (svref nodes i)))
        (setf (traverse-node-next node)
              (list (svref nodes (rem (+ i 1) size))
                    (svref nodes (traverse-random size))
                    (svref nodes (traverse-random size))))))
    (svref nodes 0)))

(defun traverse-mark (node mark)
  "The sum of the numbers of the nodes that did not have this mark."
  (if (eq (traverse-node-mark node) mark)
      0
      (let ((sum (traverse-node-number node)))
        (setf (traverse-node-mark node) mark)
        (dolist (next (traverse-node-next node) sum)
          (setq sum (+ sum (traverse-mark next mark)))))))

(defun traverse (size rounds)
  (let ((graph (traverse-graph size)) (sum 0))
    (dotimes (i rounds sum)
      (setq sum (logand 8191 (+ sum (traverse-mark graph i)))))))

(define-benchmark "traverse" 80 (traverse 100 100) 3480)
