;;;; Array space: blocks of cells between a header and a trailer of one cell.
;;;;
;;;; The machine makes list cells and objects of fixed size, and frees everything;
;;;; blocks are made here. Free blocks of at least four cells are in rings, one for
;;;; each length in bits, linked through their second and third cell; the machine
;;;; puts freed blocks there. When no block fits, array space grows by units of two
;;;; pages. When the first region of storage is used up it goes on in the second
;;;; one. A collection must not come between, since it changes the rings.

(declaim (si:global il:\\freeblockbuckets il:|\\ArrayFrLst| il:|\\ArrayFrLst2|
                    il:|\\NxtArrayPage| il:|\\NxtMDSPage| il:|\\LeastMDSPage|
                    il:|\\SecondArrayPage| il:|\\SecondMDSPage|
                    il:\\arrayspace2 il:\\storagefullstate))

(defvar si:*allocating* nil
  "True while the rings are not in order.")
(declaim (si:global si:*allocating*))

;;; The ends of array space look like blocks but are none: they must not be counted.

(defmacro si:set-end (variable address)
  `(si:set-pointer (opcodes (atomcell.n 12) ',variable) 0 ,address))

;;; Page numbers are small integers, or boxes whose content changes.

(defmacro si:set-page (variable page)
  `(if (eq (si:type-number ,variable) 2)
       (si:set-cell-number ,variable ,page)
       (setq ,variable ,page)))

(defun si:copy-page (page)
  "The number in a page variable, safe from changes."
  (+ 0 page))

;;; Headers: word 0 says what the block is, word 1 how many cells it has.

(defmacro si:block-trailer (block cells)
  `(si:add-words ,block (* 2 (- ,cells 1))))

(defun si:mark-block (block flags cells)
  "Writes header and trailer."
  (let ((trailer (si:block-trailer block cells)))
    (si:set-word (si:set-word block 0 flags) 1 cells)
    ;; The trailer tells only whether the block is in use.
    (si:set-word (si:set-word trailer 0 (if (eq flags #xAAA8) #xAAA8 #xAAA9)) 1 cells)
    block))

(defun si:bucket (cells)
  "Where the ring of free blocks of that size begins."
  (let ((bits 0))
    (if (< cells 3)
        (setq bits cells)
        (do ((rest cells (opcodes (lrsh1) rest)))
            ((eq rest 0))
          (setq bits (+ bits 1))))
    (si:add-words il:\\freeblockbuckets (* 2 bits))))

(defun si:link-block (block cells)
  "Makes a free block and puts it in its ring."
  (si:mark-block block #xAAA8 cells)
  (when (>= cells 4)
    (let* ((bucket (si:bucket cells))
           (head (si:pointer-at bucket 0)))
      (if head
          (let ((last (si:pointer-at head 4)))
            (si:set-pointer block 2 head)
            (si:set-pointer block 4 last)
            (si:set-pointer last 2 block)
            (si:set-pointer head 4 block))
          (progn
            (si:set-pointer block 2 block)
            (si:set-pointer block 4 block)))
      (si:set-pointer bucket 0 block))))

(defun si:unlink-block (block)
  "Takes a free block out of its ring."
  (let ((bucket (si:bucket (si:word-at block 1)))
        (next (si:pointer-at block 2))
        (previous (si:pointer-at block 4)))
    (if (eq next block)
        (si:set-pointer bucket 0 nil)
        (progn
          (si:set-pointer previous 2 next)
          (si:set-pointer next 4 previous)
          (when (eq (si:pointer-at bucket 0) block)
            (si:set-pointer bucket 0 next))))))

(defun si:find-in-ring (head cells)
  "The first block of a ring with room for CELLS, or NIL."
  (let ((block head))
    (block search
      (unless head
        (return-from search nil))
      (tagbody
       again
         (when (>= (si:word-at block 1) cells)
           (return-from search block))
         (setq block (si:pointer-at block 2))
         (unless (eq block head)
           (go again)))
      nil)))

(defun si:take-free-block (cells)
  "A block of CELLS or a little more from the rings, or NIL."
  (let ((bucket (si:bucket cells))
        (last (si:add-words il:\\freeblockbuckets 60))
        (block nil))
    (tagbody
     again
       (setq block (si:find-in-ring (si:pointer-at bucket 0) cells))
       (unless (or block (eq bucket last))
         (setq bucket (si:add-words bucket 2))
         (go again)))
    (when block
      (let* ((size (si:word-at block 1))
             (rest (- size cells)))
        (si:unlink-block block)
        (if (>= rest 4)
            (progn
              (si:link-block (si:add-words block (* 2 cells)) rest)
              (si:set-word block 1 cells))
            (setq cells size))
        (si:clear-words (si:add-words block 2) (* 2 (- cells 2)))
        block))))

;;; Growth.

(defun si:array-room ()
  "Pages between array space and what it must not reach, less a reserve."
  (- (if (>= il:|\\NxtMDSPage| il:|\\NxtArrayPage|)
         il:|\\NxtMDSPage|
         il:|\\SecondMDSPage|)
     il:|\\NxtArrayPage|
     66))

(defun si:second-region-p ()
  "True if the second region of storage is there and not in use."
  (and (or (null il:\\storagefullstate) (eq il:\\storagefullstate 2))
       ;; Word 61 of the interface page is 0 if there is none.
       (not (eq (si:word-at si:*interface-page* 61) 0))
       (> il:|\\SecondMDSPage| il:|\\SecondArrayPage|)))

(defun si:switch-arrays ()
  "Array space goes on in the second region of storage."
  (let* ((rest il:|\\ArrayFrLst|)
         (end (si:page-address il:|\\NxtArrayPage|))
         (cells (opcodes (lrsh1) (si:address-difference end rest)))
         (page (si:copy-page il:|\\SecondArrayPage|))
         (start (si:page-address page)))
    (si:set-page il:|\\LeastMDSPage| (si:copy-page il:|\\NxtArrayPage|))
    (setq il:\\storagefullstate 3)
    (si:set-word si:*interface-page* 65 65535)
    (setq il:\\systemcachevars (remove 'il:\\storagefullstate il:\\systemcachevars))
    (if (>= cells 4)
        (progn
          (si:link-block rest cells)
          (si:set-end il:|\\ArrayFrLst2| end))
        (si:set-end il:|\\ArrayFrLst2| rest))
    (si:set-page il:|\\NxtArrayPage| page)
    (si:set-end il:|\\ArrayFrLst| start)
    (si:set-end il:\\arrayspace2 start)))
(declaim (si:global il:\\systemcachevars))

(defun si:add-array-unit ()
  "Makes the next two pages part of array space."
  (let* ((page (si:copy-page il:|\\NxtArrayPage|))
         (address (si:page-address page)))
    ;; Type 0, counted.
    (si:set-word (si:add-words si:*type-table* (opcodes (lrsh1) page)) 0 0)
    (opcodes (subrcall 91 1) address)
    (opcodes (subrcall 91 1) (si:add-words address 256))
    (si:set-page il:|\\NxtArrayPage| (+ page 2))))

(defun si:extend-arrays (cells)
  "A block of CELLS from the end of array space, or NIL."
  (let ((words (* 2 cells)))
    (block grow
      (tagbody
       again
         (when (<= words
                   (si:address-difference (si:page-address il:|\\NxtArrayPage|)
                                          il:|\\ArrayFrLst|))
           (let ((block il:|\\ArrayFrLst|))
             (si:set-end il:|\\ArrayFrLst| (si:add-words block words))
             (si:set-word block 1 cells)
             (return-from grow block)))
         (cond ((> (si:array-room) 0)
                (si:add-array-unit)
                (go again))
               ((si:second-region-p)
                (si:switch-arrays)
                (go again))))
      nil)))

(defun si:allocate-block (cells kind)
  "A new array block with room for CELLS: of kind 0 without pointers, 1 of
pointers, 2 of code."
  (let ((size (if (< cells 2) 4 (+ cells 2))))
    (when (> size 65535)
      (error "An array of ~D cells is too large." cells))
    (setq si:*allocating* t)
    (let ((block (or (si:take-free-block size) (si:extend-arrays size))))
      (when block
        (si:mark-block block (+ #xAAA9 (* 2 kind)) (si:word-at block 1)))
      (setq si:*allocating* nil)
      (unless block
        (error "Storage is full: there is no room for an array of ~D cells." cells))
      (let ((data (si:add-words block 2)))
        ;; It is new: nothing refers to it.
        (si:delete-reference data)
        data))))

;;; Arrays. Small ones are hunks, objects of fixed sizes.

(defun si:hunk-type (cells pointers)
  "Type of the smallest hunk with room for up to 64 cells."
  (if pointers
      (cond ((<= cells 2) 31) ((<= cells 4) 32) ((<= cells 8) (+ 28 cells))
            ((<= cells 10) 37) ((<= cells 12) 38) ((<= cells 16) 39)
            ((<= cells 24) 40) ((<= cells 32) 41) ((<= cells 42) 42) (t 43))
      (cond ((<= cells 1) 44) ((<= cells 10) (+ 43 cells)) ((<= cells 12) 54)
            ((<= cells 14) 55) ((<= cells 16) 56) ((<= cells 20) 57)
            ((<= cells 24) 58) ((<= cells 28) 59) ((<= cells 32) 60)
            ((<= cells 40) 61) ((<= cells 48) 62) (t 63))))

(defun si:allocate-cells (cells pointers)
  "Room for CELLS, all zero."
  (if (<= cells 64)
      (si:create (si:hunk-type cells pointers))
      (si:allocate-block cells (if pointers 1 0))))

(defun si:element-cells (count code)
  "How many cells COUNT elements with an element type code take."
  (cond ((eq code 0) (opcodes (lsh) (+ count 31) -5))
        ((or (eq code 3) (eq code 67)) (opcodes (lsh) (+ count 3) -2))
        ((or (eq code 4) (eq code 20) (eq code 68)) (opcodes (lsh) (+ count 1) -1))
        (t count)))

(defun si:make-array-of (count code)
  "A new one-dimensional array of COUNT elements. The codes: 0 bit, 3 and 4 unsigned
byte and word, 20 and 22 signed word and cell, 38 any object, 54 single float, 67
and 68 characters of a byte and a word. Elements are 0 or NIL."
  (unless (si:fixnump count)
    (error "~S is not the number of elements of an array." count))
  ;; The older generation has sizes of 16 bits.
  (unless (and (<= 0 count (if (eq si:*generation* 3) 2000000 65535))
               (<= (si:element-cells count code) 65533))
    (error "An array of ~D elements is too large." count))
  (let ((elements (si:allocate-cells (si:element-cells count code) (eq code 38)))
        (header (si:create 14)))
    (si:store header 0 elements)
    (si:set-word header 2 (cond ((>= code 67) (+ #x1000 code))
                                ((eq code 0) #x2000)
                                (t code)))
    (si:set-array-size header count)
    (si:set-array-fill header count)
    header))

;;; Parts of array headers, for objects known to be one-dimensional arrays.

(defmacro si:array-code (array)
  `(opcodes (logand2) (si:word-at ,array 2) 255))

(defmacro si:array-base (array)
  `(si:pointer-at ,array 0))

(defun si:array-size (array)
  "How many elements there are."
  (if (eq si:*generation* 3) (si:cell-number array 6) (si:word-at array 5)))

(defun si:set-array-size (array count)
  (if (eq si:*generation* 3)
      (si:set-cell-number (si:add-words array 6) count)
      (si:set-word array 5 count))
  count)

(defun si:array-fill (array)
  "How many elements are in use."
  (if (eq si:*generation* 3) (si:cell-number array 4) (si:word-at array 4)))

(defun si:set-array-fill (array count)
  (if (eq si:*generation* 3)
      (si:set-cell-number (si:add-words array 4) count)
      (si:set-word array 4 count))
  count)
