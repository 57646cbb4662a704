;;;; Memory as the machine sees it: words, pointers, bytes at addresses.
;;;;
;;;; Addresses are pointers to words. Offsets are in words unless a name says
;;;; bytes, and constants from 0 to 255. Nothing here checks anything.

;;; What the linker knows of the image.
(declaim (si:global si:*generation* si:*interface-page* si:*type-table*
                    si:*type-descriptors* si:*type-descriptor-words*
                    si:*collision-table* si:*statistics*))

(defmacro si:word-at (address offset)
  `(opcodes (getbase.n ,offset) ,address))

(defmacro si:set-word (address offset word)
  "Stores a word from 0 to 65535. The value is the address."
  `(opcodes (putbase.n ,offset) ,address ,word))

(defmacro si:pointer-at (address offset)
  `(opcodes (getbaseptr.n ,offset) ,address))

(defmacro si:set-pointer (address offset object)
  "Stores a whole cell and counts nothing. The value is the address."
  `(opcodes (putbaseptr.n ,offset) ,address ,object))

(defmacro si:store (address offset object)
  "Stores a counted pointer. The value is the address."
  `(opcodes (rplptr.n ,offset) ,address ,object))

(defmacro si:byte-at (address bytes)
  `(opcodes (getbasebyte) ,address ,bytes))

(defmacro si:set-byte (address bytes byte)
  "The value is the byte."
  `(opcodes (putbasebyte) ,address ,bytes ,byte))

(defmacro si:add-words (address words)
  `(opcodes (addbase) ,address ,words))

(defmacro si:copy-words (to from words)
  "Copies up to 65535 words, the last one first."
  `(opcodes (blt) ,to ,from ,words))

(defmacro si:make-pointer (high low)
  `(opcodes (vag2) ,high ,low))

(defmacro si:high (object)
  `(opcodes (hiloc) ,object))

(defmacro si:low (object)
  `(opcodes (loloc) ,object))

(defmacro si:type-number (object)
  `(opcodes (ntypx) ,object))

(defmacro si:create (type)
  "A new object of the type with that number, all zero."
  `(opcodes (createcell) ,type))

(defmacro si:add-reference (object)
  `(opcodes (gcref 0) ,object))

(defmacro si:delete-reference (object)
  `(opcodes (gcref 1) ,object))

;;; A whole cell as an unsigned number and back. The number may need a box.

(defmacro si:cell-number (address offset)
  `(opcodes (makenumber) (si:word-at ,address ,offset) (si:word-at ,address ,(+ 1 offset))))

(defun si:set-cell-number (address number)
  "Stores the low 32 bits of an integer from -2^31 to 2^31-1."
  (if (eq (si:type-number number) 2)
      (si:set-word (si:set-word address 0 (si:word-at number 0)) 1 (si:word-at number 1))
      (si:set-word (si:set-word address 0 (if (< number 0) 65535 0)) 1 (si:low number))))

(defun si:address-difference (high low)
  "How many words there are from the address LOW to the address HIGH."
  (+ (* 65536 (- (si:high high) (si:high low)))
     (- (si:low high) (si:low low))))

(defun si:page-address (page)
  "The first address of a page of 256 words."
  (si:make-pointer (opcodes (lrsh8) page)
                   (opcodes (llsh8) (opcodes (logand2) page 255))))

(defun si:clear-words (address words)
  "Stores zeros in an even number of words."
  (let ((done 2))
    (when (> words 0)
      (si:set-pointer address 0 nil)
      (do () ((>= done words))
        (let ((count (min done (- words done) 32768)))
          (si:copy-words (si:add-words address done) address count)
          (setq done (+ done count)))))
    address))
