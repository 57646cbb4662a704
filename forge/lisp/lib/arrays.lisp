;;;; Vectors and matrices.

(defconstant array-dimension-limit 65536)
(defconstant array-rank-limit 3)

;;; How elements are stored. The codes are the machine's.

(defun si:integer-code (low high)
  "The code for integers of a range, of as few bits as possible."
  (cond ((and (>= low 0) (<= high 1)) 0)
        ((and (>= low 0) (<= high 255)) 3)
        ((and (>= low 0) (<= high 65535)) 4)
        ((and (>= low -32768) (<= high 32767)) 20)
        ((and (si:fixnump low) (si:fixnump high)) 22)
        (t 38)))

(defun si:element-code (type)
  "The code for a type of elements."
  (cond ((eq type t) 38)
        ((member type '(character string-char standard-char base-char)) 67)
        ((eq type 'bit) 0)
        ((eq type 'fixnum) 22)
        ((member type '(single-float float short-float)) 54)
        ((not (consp type)) 38)
        (t
         (let ((argument (cadr type)))
           (if (or (eq argument '*) (not (integerp argument)))
               38
               (case (car type)
                 (unsigned-byte (si:integer-code 0 (- (ash 1 argument) 1)))
                 (signed-byte (let ((limit (ash 1 (- argument 1))))
                                (si:integer-code (- 0 limit) (- limit 1))))
                 (mod (si:integer-code 0 (- argument 1)))
                 (integer (if (integerp (caddr type))
                              (si:integer-code argument (caddr type))
                              38))
                 (t 38)))))))

(defun array-element-type (array)
  "The type of the elements."
  (case (si:element-code-of array)
    (0 'bit)
    (3 '(unsigned-byte 8))
    (4 '(unsigned-byte 16))
    (20 '(signed-byte 16))
    (22 '(signed-byte 32))
    (54 'single-float)
    ((67 68) 'character)
    (t t)))

;;; Construction.

(defun make-array (dimensions &key (element-type t) (initial-element nil initial-element-p)
                                   initial-contents fill-pointer adjustable)
  "A new vector, or a matrix if there are two dimensions."
  (let ((dimensions (if (listp dimensions) dimensions (list dimensions)))
        (code (si:element-code element-type)))
    (case (length dimensions)
      (1 (let* ((size (car dimensions))
                (vector (si:make-vector size code)))
           (cond (initial-element-p
                  (when (or initial-element (not (eql code 38)))
                    (fill vector initial-element)))
                 (initial-contents
                  (unless (eql (length initial-contents) size)
                    (error "~D elements were given for an array of ~D."
                           (length initial-contents) size))
                  (replace vector initial-contents)))
           (when fill-pointer
             (si:set-vector-length vector (if (eq fill-pointer t) size fill-pointer)))
           vector))
      (2 (let ((matrix (si:make-matrix (car dimensions) (cadr dimensions) code)))
           (cond (initial-element-p (si:fill-matrix matrix initial-element))
                 (initial-contents (si:set-rows matrix initial-contents)))
           matrix))
      (t (error "There are no arrays of ~D dimensions." (length dimensions))))))

(defun si:fill-matrix (matrix element)
  (dotimes (row (array-dimension matrix 0) matrix)
    (dotimes (column (array-dimension matrix 1))
      (setf (aref matrix row column) element))))

(defun si:set-rows (matrix rows)
  "Stores a sequence of sequences."
  (dotimes (row (array-dimension matrix 0) matrix)
    (dotimes (column (array-dimension matrix 1))
      (setf (aref matrix row column) (elt (elt rows row) column)))))

(defun vector (&rest elements)
  "A new vector of the elements."
  (si:vector-of elements))

(defun si:vector-of (list)
  "A vector of the elements of a list."
  (let ((vector (si:make-vector (length list) 38))
        (index 0))
    (dolist (element list vector)
      (setf (svref vector index) element)
      (setq index (+ index 1)))))

;;; Parts.

(defun array-rank (array)
  "How many dimensions an array has."
  (if (vectorp array) 1 2))

(defun array-dimensions (array)
  "How many elements there are in each dimension."
  (if (vectorp array)
      (list (si:vector-size array))
      (list (si:matrix-rows array) (si:matrix-columns array))))

(defun array-dimension (array axis)
  "How many elements there are in a dimension."
  (nth axis (array-dimensions array)))

(defun array-total-size (array)
  "How many elements there are."
  (apply #'* (array-dimensions array)))

(defun array-in-bounds-p (array &rest indices)
  "Whether there is an element with these indices."
  (every #'(lambda (index size) (and (integerp index) (<= 0 index) (< index size)))
         indices (array-dimensions array)))

(defun array-has-fill-pointer-p (array)
  "Every vector can be made shorter."
  (vectorp array))

(defun fill-pointer (vector)
  "How many elements are in use."
  (si:vector-length vector))

(defun si:set-fill-pointer (vector count)
  (unless (<= 0 count (si:vector-size vector))
    (si:out-of-range count vector))
  (si:set-vector-length vector count)
  count)

(defun vector-push (element vector)
  "Adds an element to the vector itself; its index, or NIL if there is no room."
  (let ((index (fill-pointer vector)))
    (if (>= index (si:vector-size vector))
        nil
        (progn
          (si:set-vector-length vector (+ index 1))
          (setf (aref vector index) element)
          index))))

(defun vector-push-extend (element vector &optional extension)
  "Adds an element to the vector itself, which may become larger; its index."
  (let ((index (fill-pointer vector)))
    (when (>= index (si:vector-size vector))
      (si:grow-vector vector (+ index (max (or extension index) 8))))
    (vector-push element vector)))

(defun vector-pop (vector)
  "Takes the last element from the vector itself."
  (let ((index (- (fill-pointer vector) 1)))
    (when (< index 0)
      (error "The vector is empty."))
    (si:set-vector-length vector index)
    (aref vector index)))

;;; What the machine does not do itself.

(defun si:aref-trap (array index)
  "An element that the machine did not find."
  (cond ((not (vectorp array)) (si:wrong-type array 'vector))
        ((not (si:fixnump index)) (si:wrong-type index 'fixnum))
        (t (si:out-of-range index array))))

(defun si:aset-trap (value array index)
  "An element that the machine could not store."
  (cond ((not (vectorp array)) (si:wrong-type array 'vector))
        ((not (si:fixnump index)) (si:wrong-type index 'fixnum))
        ((not (and (>= index 0) (< index (si:vector-size array))))
         (si:out-of-range index array))
        ((and (characterp value) (eql (si:element-code-of array) 67))
         (si:widen-string array)
         (setf (aref array index) value))
        ((and (integerp value) (eql (si:element-code-of array) 54))
         (setf (aref array index) (float value)))
        (t (si:wrong-type value (array-element-type array)))))
