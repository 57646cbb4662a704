;;;; Searches by trial and error on vectors.

;;; The queens' problem.

(defun queens-place (column size rows up down)
  (if (= column size)
      1
      (let ((found 0))
        (dotimes (row size)
          (let ((u (+ row column)) (d (+ (- row column) size)))
            (unless (or (svref rows row) (svref up u) (svref down d))
              (setf (svref rows row) t (svref up u) t (svref down d) t)
              (setq found (+ found (queens-place (+ column 1) size rows up down)))
              (setf (svref rows row) nil (svref up u) nil (svref down d) nil))))
        found)))

(defun queens (size)
  (queens-place 0 size
                (make-array size :initial-element nil)
                (make-array (* 2 size) :initial-element nil)
                (make-array (* 2 size) :initial-element nil)))

(define-benchmark "queens" 100 (queens 8) 92)

;;; Boxes packed into a larger box. A box is the list of the cells that it takes, counted
;;; from its first; the cells behind the walls are taken from the start.

(defvar *puzzle-size* 3 "Cells inside along an edge.")
(defvar *puzzle-edge* 4 "Cells along an edge, with one wall.")

(defun puzzle-cell (x y z)
  (+ x (* *puzzle-edge* (+ y (* *puzzle-edge* z)))))

(defun puzzle-box (dx dy dz)
  (let ((cells nil))
    (dotimes (z dz)
      (dotimes (y dy)
        (dotimes (x dx)
          (setq cells (cons (puzzle-cell x y z) cells)))))
    (nreverse cells)))

(defun puzzle-ways (a b c)
  "All ways to lay a box of these edges."
  (let ((ways nil))
    (dolist (edges (list (list a b c) (list a c b) (list b a c) (list b c a) (list c a b) (list c b a)))
      (let ((box (puzzle-box (car edges) (cadr edges) (caddr edges))))
        (unless (member box ways :test #'equal)
          (setq ways (cons box ways)))))
    (nreverse ways)))

(defun puzzle-space ()
  (let* ((edge *puzzle-edge*)
         (space (make-array (* 2 edge edge edge) :initial-element t)))
    (dotimes (z *puzzle-size*)
      (dotimes (y *puzzle-size*)
        (dotimes (x *puzzle-size*)
          (setf (svref space (puzzle-cell x y z)) nil))))
    space))

(defun puzzle-fits-p (box at space)
  (dolist (cell box t)
    (if (svref space (+ at cell)) (return nil) nil)))

(defun puzzle-put (box at space taken)
  (dolist (cell box)
    (setf (svref space (+ at cell)) taken)))

(defun puzzle-first-free (at end space)
  (do ((i at (+ i 1)))
      ((or (= i end) (not (svref space i))) i)))

;; KINDS is a vector of lists: how many boxes of a kind are left, and its ways.
(defun puzzle-count (at end space kinds)
  "In how many ways the boxes left can fill the space from AT on."
  (let ((at (puzzle-first-free at end space)) (found 0))
    (if (= at end)
        1
        (dotimes (i (length kinds) found)
          (let ((kind (svref kinds i)))
            (when (> (car kind) 0)
              (dolist (box (cdr kind))
                (when (puzzle-fits-p box at space)
                  (rplaca kind (- (car kind) 1))
                  (puzzle-put box at space t)
                  (setq found (+ found (puzzle-count at end space kinds)))
                  (puzzle-put box at space nil)
                  (rplaca kind (+ (car kind) 1))))))))))

(defun puzzle ()
  (let ((kinds (make-array 3)))
    (setf (svref kinds 0) (cons 4 (puzzle-ways 2 2 1)))
    (setf (svref kinds 1) (cons 3 (puzzle-ways 1 1 3)))
    (setf (svref kinds 2) (cons 1 (puzzle-ways 1 1 2)))
    (puzzle-count 0 (* *puzzle-edge* *puzzle-edge* *puzzle-edge*) (puzzle-space) kinds)))

(define-benchmark "puzzle" 10 (puzzle) 1272)

;;; Solitaire on a triangle of fifteen holes: a peg jumps over another into an empty
;;; hole, and that other is taken away.

(defvar *triangle-moves* nil "Vectors of three holes: from, over, to.")

(defun triangle-hole (row column)
  (if (and (<= 0 column) (<= column row) (< row 5))
      (+ column (floor (* row (+ row 1)) 2))
      nil))

(defun triangle-set-up ()
  (let ((moves nil))
    (dotimes (row 5)
      (dotimes (column (+ row 1))
        (dolist (step '((0 1) (0 -1) (1 0) (-1 0) (1 1) (-1 -1)))
          (let ((over (triangle-hole (+ row (car step)) (+ column (cadr step))))
                (to (triangle-hole (+ row (* 2 (car step))) (+ column (* 2 (cadr step))))))
            (when (and over to)
              (setq moves (cons (vector (triangle-hole row column) over to) moves)))))))
    (setq *triangle-moves* (nreverse moves))))

(triangle-set-up)

(defun triangle-solve (board pegs limit)
  "The number of ways to leave one peg, counted up to LIMIT."
  (if (= pegs 1)
      1
      (let ((found 0))
        (dolist (move *triangle-moves* found)
          (let ((from (svref move 0)) (over (svref move 1)) (to (svref move 2)))
            (when (and (svref board from) (svref board over) (not (svref board to)))
              (setf (svref board from) nil (svref board over) nil (svref board to) t)
              (setq found (+ found (triangle-solve board (- pegs 1) (- limit found))))
              (setf (svref board from) t (svref board over) t (svref board to) nil)
              (when (>= found limit)
                (return found))))))))

(defun triangle (hole limit)
  (let ((board (make-array 15 :initial-element t)))
    (setf (svref board hole) nil)
    (triangle-solve board 14 limit)))

(define-benchmark "triangle" 100 (triangle 0 10) 10)
