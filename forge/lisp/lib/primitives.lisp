;;;; What lies right above the machine: functions that are one instruction, the parts
;;;; of objects. Everything else in the library is portable Lisp.
;;;;
;;;; The compiler replaces calls of the simple ones by the instruction; the functions
;;;; are for those who call them by name.

;;; Lists.

(defun car (list) (opcodes (car) list))
(defun cdr (list) (opcodes (cdr) list))
(defun cons (car cdr) (opcodes (cons) car cdr))
(defun rplaca (cell value) (opcodes (rplaca) cell value))
(defun rplacd (cell value) (opcodes (rplacd) cell value))
(defun list (&rest elements) elements)

(defun list* (element &rest more)
  "A list of the elements that ends in the last one."
  (if (null more)
      element
      (cons element (apply #'list* more))))

;;; Kinds of objects.

(defmacro si:truth (form)
  `(if ,form t nil))

(defun eq (a b) (opcodes (eq) a b))
(defun eql (a b) (opcodes (eql) a b))
(defun not (object) (opcodes (eq) object nil))
(defun null (object) (opcodes (eq) object nil))
(defun consp (object) (si:truth (opcodes (listp) object)))
(defun atom (object) (if (opcodes (listp) object) nil t))
(defun listp (object) (if (opcodes (listp) object) t (eq object nil)))
(defun symbolp (object) (symbolp object))
(defun numberp (object) (si:truth (opcodes (typemask.n #x10) object)))
(defun integerp (object) (si:truth (opcodes (typemask.n #x20) object)))
(defun floatp (object) (si:truth (opcodes (typep 3) object)))
(defun characterp (object) (si:truth (opcodes (typep 9) object)))
(defun vectorp (object) (si:truth (opcodes (typep 14) object)))
(defun arrayp (object) (or (vectorp object) (si:truth (opcodes (typep 15) object))))
(defun stringp (object)
  (and (opcodes (typep 14) object)
       (not (eq (logand (si:word-at object 2) #x1000) 0))))
(defun bit-vector-p (object)
  (and (opcodes (typep 14) object)
       (not (eq (logand (si:word-at object 2) #x2000) 0))))
(defun simple-vector-p (object)
  (and (opcodes (typep 14) object)
       (eq (si:array-code object) 38)))
(defun si:fixnump (object) (<= 1 (si:type-number object) 2))
(defun si:bignump (object) (si:truth (opcodes (typep 17) object)))
(defun si:ratiop (object) (si:truth (opcodes (typep 18) object)))

;;; Arithmetic.

(defmacro si:shift (integer count) `(opcodes (lsh) ,integer ,count))
(defmacro si:quotient (a b) `(opcodes (iquotient) ,a ,b))
(defmacro si:remainder (a b) `(opcodes (iremainder) ,a ,b))

(defun ash (integer count) (opcodes (lsh) integer count))
(defun 1+ (number) (opcodes (plus2) number 1))
(defun 1- (number) (opcodes (difference) number 1))

(defmacro si:define-fold (name opcode unit documentation)
  "Defines a function of any number of arguments by an instruction for two. Only of more than
two there is a list."
  `(defun ,name (&optional (number ,unit) (other ,unit) &rest more)
     ,documentation
     (let ((result (opcodes (,opcode) (opcodes (,opcode) ,unit number) other)))
       (dolist (number more result)
         (setq result (opcodes (,opcode) result number))))))

(si:define-fold + plus2 0 "The sum of the numbers.")
(si:define-fold * times2 1 "The product of the numbers.")
(si:define-fold logior logor2 0 "The bits that are in one of the integers.")
(si:define-fold logxor logxor2 0 "The bits that are in an odd number of the integers.")
(si:define-fold logand logand2 -1 "The bits that are in all integers.")

(defun - (number &optional (other 0 several) &rest more)
  "The difference of the numbers, or the opposite of the only one."
  (if several
      (let ((result (opcodes (difference) number other)))
        (dolist (other more result)
          (setq result (opcodes (difference) result other))))
      ;; There are two zeros.
      (opcodes (times2) -1 number)))

(defmacro si:define-comparison (name variables test documentation)
  "Defines a comparison of neighbours by a form. Only of more than two there is a list."
  `(defun ,name (,(car variables) &optional (,(cadr variables) nil several) &rest more)
     ,documentation
     (if several
         (do ()
             ((not ,test) nil)
           (if (null more)
               (return t))
           (setq ,(car variables) ,(cadr variables)
                 ,(cadr variables) (car more)
                 more (cdr more)))
         t)))

(si:define-comparison = (a b) (opcodes (=) a b) "Whether all numbers are equal.")
(si:define-comparison < (a b) (opcodes (greaterp) b a) "Whether the numbers ascend.")
(si:define-comparison > (a b) (opcodes (greaterp) a b) "Whether the numbers descend.")
(si:define-comparison <= (a b) (not (opcodes (greaterp) a b))
  "Whether the numbers do not descend.")
(si:define-comparison >= (a b) (not (opcodes (greaterp) b a))
  "Whether the numbers do not ascend.")

(defun /= (number &rest more)
  "Whether all numbers are different."
  (do ((rest (cons number more) (cdr rest)))
      ((null rest) t)
    (dolist (other (cdr rest))
      (when (= (car rest) other)
        (return-from /= nil)))))

;;; Floats, bignums and ratios.

(defun si:float-of-fixnum (integer) (opcodes (fplus2) integer 0.0))
(defmacro si:float-plus (a b) `(opcodes (fplus2) ,a ,b))
(defmacro si:float-difference (a b) `(opcodes (fdifference) ,a ,b))
(defmacro si:float-times (a b) `(opcodes (ftimes2) ,a ,b))
(defmacro si:float-quotient (a b) `(opcodes (fquotient) ,a ,b))
(defmacro si:float-high (float) `(si:word-at ,float 0))
(defmacro si:float-low (float) `(si:word-at ,float 1))

(defun si:make-float (high low)
  "The float of two words."
  (si:set-word (si:set-word (si:create 3) 0 high) 1 low))

(defmacro si:bignum-digits (bignum) `(si:pointer-at ,bignum 0))
(defun si:make-bignum (digits) (si:store (si:create 17) 0 digits))
(defmacro si:ratio-numerator (ratio) `(si:pointer-at ,ratio 0))
(defmacro si:ratio-denominator (ratio) `(si:pointer-at ,ratio 2))
(defun si:make-ratio (above below)
  (si:store (si:store (si:create 18) 0 above) 2 below))

;;; Characters.

(defun char-code (character)
  (unless (characterp character)
    (si:wrong-type character 'character))
  (si:low character))

(defun code-char (code)
  "The character with that code."
  (if (and (si:fixnump code) (<= 0 code 65535))
      (si:make-pointer 7 code)
      (si:wrong-type code 'character-code)))

;;; Arrays.

(defun aref (array index &optional (column nil column-p))
  (if column-p
      (opcodes (aref2) array index column)
      (opcodes (aref1) array index)))

(defun si:set-aref (array index value &optional (element nil matrix-p))
  (if matrix-p
      (opcodes (aset2) element array index value)
      (opcodes (aset1) value array index)))

(defun svref (vector index) (opcodes (aref1) vector index))
(defun char (string index) (opcodes (aref1) string index))
(defun schar (string index) (opcodes (aref1) string index))
(defun bit (vector index) (opcodes (aref1) vector index))
(defun si:set-svref (vector index value) (opcodes (aset1) value vector index))
(defun si:set-char (string index value) (opcodes (aset1) value string index))
(defun si:set-schar (string index value) (opcodes (aset1) value string index))

(defun si:make-vector (size code) (si:make-array-of size code))
(defun si:make-string (size) (si:make-array-of size 67))
(defun si:make-vector-like (vector size) (si:make-array-of size (si:array-code vector)))
(defun si:element-code-of (array) (si:array-code array))
(defun si:check-vector (object)
  "What is written into anything else would spoil it."
  (unless (vectorp object)
    (si:wrong-type object 'vector)))

(defun si:vector-length (vector)
  (si:check-vector vector)
  (si:array-fill vector))

(defun si:vector-size (vector)
  (si:check-vector vector)
  (si:array-size vector))

(defun si:set-vector-length (vector length)
  (si:check-vector vector)
  (unless (and (si:fixnump length) (<= 0 length (si:array-size vector)))
    (error "~S cannot be the length of a vector of ~D elements." length
           (si:array-size vector)))
  (si:set-array-fill vector length))

(defun si:exchange-elements (array other)
  "Gives an array the elements and the size of another one."
  (si:set-word array 2 (si:word-at other 2))
  (si:set-word array 3 0)
  (si:store array 0 (si:array-base other))
  (si:set-array-size array (si:array-size other))
  array)

(defun si:widen-string (string)
  "Makes room for characters of a word."
  (let ((wide (si:make-array-of (si:array-size string) 68)))
    (dotimes (index (si:array-size string))
      (opcodes (aset1) (opcodes (aref1) string index) wide index))
    (si:exchange-elements string wide)))

(defun si:grow-vector (vector size)
  "Makes room for more elements."
  (let ((large (si:make-array-of size (si:array-code vector))))
    (dotimes (index (si:array-size vector))
      (opcodes (aset1) (opcodes (aref1) vector index) large index))
    (si:exchange-elements vector large)))

;;; Matrices: word 2 is the code; then there are the bounds and the size, words or
;;; cells.

(defun si:make-matrix (rows columns code)
  (let* ((elements (si:make-array-of (* rows columns) code))
         (matrix (si:create 15)))
    (si:store matrix 0 (si:array-base elements))
    (si:set-word matrix 2 code)
    (if (eq si:*generation* 3)
        (si:set-word (si:set-word (si:set-word matrix 5 rows) 7 columns) 9 (* rows columns))
        (si:set-word (si:set-word (si:set-word matrix 3 rows) 4 columns) 5 (* rows columns)))))

(defun si:matrix-rows (matrix)
  (if (eq si:*generation* 3) (si:word-at matrix 5) (si:word-at matrix 3)))

(defun si:matrix-columns (matrix)
  (if (eq si:*generation* 3) (si:word-at matrix 7) (si:word-at matrix 4)))

(defun il:%aref2 (array row column)
  (si:matrix-trap array row column))

(defun il:%aset2 (value array row column)
  (si:matrix-trap array row column))

(defun si:matrix-trap (array row column)
  (if (and (arrayp array) (not (vectorp array)))
      (error "There is no element ~S ~S in ~S." row column array)
      (si:wrong-type array '(array * 2))))

;;; Symbols.

(defmacro si:name-cell (symbol) `(opcodes (atomcell.n 8) ,symbol))
(defmacro si:value-cell (symbol) `(opcodes (atomcell.n 12) ,symbol))
(defmacro si:definition-cell (symbol) `(opcodes (atomcell.n 10) ,symbol))
(defmacro si:property-cell (symbol) `(opcodes (atomcell.n 2) ,symbol))
(defun si:check-symbol (object)
  "The instructions take anything for a symbol."
  (unless (symbolp object)
    (si:wrong-type object 'symbol)))

(defmacro si:no-value () `(si:make-pointer 0 1))

(defun si:fat-name-p (symbol)
  "Whether the characters of the name have words."
  (not (eq 0 (if (eq si:*generation* 3)
                 (logand (si:word-at (si:name-cell symbol) 8) #x2000)
                 (logand (si:word-at (si:property-cell symbol) 0) #x2000)))))

(defun symbol-name (symbol)
  "The name of a symbol: a string that shares the characters with it."
  (unless (symbolp symbol)
    (si:wrong-type symbol 'symbol))
  (let* ((block (si:pointer-at (si:name-cell symbol) 0))
         (size (si:byte-at block 0))
         (string (si:create 14)))
    (si:store string 0 block)
    ;; Read only, from element 1.
    (si:set-word (si:set-word string 2 (+ #x9000 (if (si:fat-name-p symbol) 68 67))) 3 1)
    (if (eq si:*generation* 3)
        (si:set-word (si:set-word string 5 size) 7 size)
        (si:set-word (si:set-word string 4 size) 5 size))))

(defun si:symbol-package-index (symbol)
  "The number of the package a symbol belongs to, 0 for none."
  (opcodes (lrsh8) (if (eq si:*generation* 3)
                       (si:word-at (si:name-cell symbol) 8)
                       (si:word-at (si:name-cell symbol) 0))))

(defun si:name-block (name wide)
  "A block with the length of a name and its characters."
  (let* ((size (length name))
         (block (si:allocate-cells (si:element-cells (+ size 1) (if wide 68 67)) nil)))
    (si:set-byte block 0 size)
    (dotimes (index size)
      (let ((code (si:low (opcodes (aref1) name index))))
        (if wide
            (si:set-word (si:add-words block (+ index 1)) 0 code)
            (si:set-byte block (+ index 1) code))))
    block))

(defun si:create-symbol (name package-index)
  "A new symbol."
  (when (> (length name) 255)
    (error "A name of ~D characters is too long for a symbol." (length name)))
  (let* ((wide (some #'(lambda (character) (> (si:low character) 255)) name))
         (symbol (si:create 21)))
    (si:store symbol 0 (si:name-block name wide))
    (si:set-pointer symbol 2 (si:no-value))
    (if (eq si:*generation* 3)
        (si:set-word symbol 8 (+ (opcodes (llsh8) package-index) (if wide #x2000 0)))
        (progn
          (si:set-word symbol 0 (+ (opcodes (llsh8) package-index)
                                   (logand 255 (si:word-at symbol 0))))
          (when wide
            (si:set-word symbol 6 #x2000))))
    symbol))

(defun symbol-plist (symbol)
  "The properties of a symbol."
  (si:check-symbol symbol)
  (si:pointer-at (si:property-cell symbol) 0))

(defun si:set-symbol-plist (symbol plist)
  (si:check-symbol symbol)
  (let* ((cell (si:property-cell symbol))
         (flags (logand #xF000 (si:word-at cell 0))))
    (si:store cell 0 plist)
    (unless (eq flags 0)
      (si:set-word cell 0 (logior flags (logand #x0FFF (si:word-at cell 0)))))
    plist))

(defun si:binding-cell (symbol)
  "The address of the value of a symbol, in the stack if it is bound there."
  (opcodes (stkscan) symbol))

(defun boundp (symbol)
  "Whether a symbol has a value."
  (si:check-symbol symbol)
  (not (eq (si:pointer-at (si:binding-cell symbol) 0) (si:no-value))))

(defun symbol-value (symbol)
  "The value of a symbol."
  (si:check-symbol symbol)
  (opcodes (eval) symbol))

(defun set (symbol value)
  "Sets the value of a symbol, that of the innermost binding."
  (si:check-symbol symbol)
  (when (or (null symbol) (eq symbol t))
    (error "The constant ~S cannot be set." symbol))
  (let ((cell (si:binding-cell symbol)))
    ;; What is in the stack is not counted.
    (if (eq cell (si:value-cell symbol))
        (si:store cell 0 value)
        (si:set-pointer cell 0 value))
    value))

(defun makunbound (symbol)
  "Takes its value from a symbol."
  (set symbol (si:no-value))
  symbol)

;;; The tables of symbols that the linker made.

(defvar si:*symbol-result* nil "A cell that the machine wants.")
(declaim (si:global si:*symbol-result*))

(defun si:find-linked-symbol (name package)
  "The symbol in a list, NIL if there is none."
  (let* ((result (or si:*symbol-result* (setq si:*symbol-result* (si:create 2))))
         (symbol (opcodes (subrcall 145 6)
                          (si:array-base name) (si:word-at name 3) (si:array-fill name)
                          (if (eq (si:array-code name) 68) t nil)
                          (package-external-symbols package) result)))
    (if (or symbol (< result 0))
        (if symbol (list symbol) nil)
        (list nil))))

(defun si:map-linked-symbols (function package)
  (dolist (table (si:pointer-at (package-external-symbols package) 0))
    (dotimes (index (length table))
      (when (svref table index)
        (funcall function (svref table index))))))

;;; Functions: closures, and code that has no environment.

(defun functionp (object)
  "Whether it is a function."
  (si:truth (opcodes (typep 13) object)))

(defun compiled-function-p (object)
  "Whether it is a compiled function."
  (and (functionp object)
       ;; The closures of interpreted functions.
       (not (eq (si:function-name object) 'si:close-over))))

(defun si:compiled-cell-p (cell)
  "Whether a definition cell holds code."
  (not (eq (logand (si:word-at cell 0) #x8000) 0)))

(defun si:symbol-definition (symbol)
  "The function of a symbol, NIL if it has none."
  (si:check-symbol symbol)
  (let* ((cell (si:definition-cell symbol))
         (definition (si:pointer-at cell 0)))
    (if (and definition (si:compiled-cell-p cell))
        (si:store (si:create 13) 0 definition)
        definition)))

(defun si:define-function (symbol function)
  "Makes a closure, or NIL, the definition of a symbol."
  (si:check-symbol symbol)
  (unless (or (null function) (functionp function))
    (si:wrong-type function 'function))
  (let ((cell (si:definition-cell symbol))
        (code (if (and function (null (si:pointer-at function 2)))
                  (si:code-of function)
                  nil)))
    ;; It is not code while it changes.
    (si:set-word cell 0 (logand (si:word-at cell 0) (if (eq si:*generation* 3) #x0FFF #x00FF)))
    (si:store cell 0 (or code function))
    (when code
      (si:set-word cell 0 (+ (si:word-at cell 0) (si:code-flags code))))
    symbol))

(defun si:code-flags (code)
  "What stands before the address of code in a definition cell: that it is code, whether
it has a table of names, and how it takes its arguments."
  (+ #x8000
     (if (eq (si:word-at code 6) 0) #x4000 0)
     (if (eq (si:word-at code 1) 65535) #x2000 0)))

(defun si:code-of (function)
  "The code of a closure."
  (si:pointer-at function 0))

(defun si:argument-count (symbol)
  "How many arguments the function of a symbol takes, NIL if that differs or there is
none."
  (let* ((cell (si:definition-cell symbol))
         (definition (si:pointer-at cell 0))
         (count (cond ((null definition) 65535)
                      ((si:compiled-cell-p cell) (si:word-at definition 1))
                      (t (si:word-at (si:code-of definition) 1)))))
    (if (eq count 65535) nil count)))

(defun si:function-name (function)
  "The name of the code of a function."
  (si:pointer-at (si:code-of function) 4))

(defun si:same-function-p (object name)
  "Whether an object is the function of a symbol, or the symbol."
  (or (eq object name)
      (and (functionp object)
           (eq (si:code-of object) (si:code-of (si:symbol-definition name))))))

(defun funcall (function &rest arguments) (apply function arguments))

(defun apply (function argument &rest more)
  (if (null more)
      (apply function argument)
      (apply function (apply #'list* argument more))))

(defun values (&rest values) (values-list values))
(defun values-list (list) (opcodes (miscn 6 1) list))

;;; Types and structures: records with a descriptor.

(defun si:descriptor (number)
  "The address of the descriptor of a type."
  (si:add-words si:*type-descriptors* (* si:*type-descriptor-words* number)))

(defun si:descriptor-name (descriptor)
  (if (eq si:*generation* 3)
      (si:make-pointer (logand #x0FFF (si:word-at descriptor 0)) (si:word-at descriptor 1))
      (si:make-pointer (opcodes (lrsh8) (si:word-at descriptor 6)) (si:word-at descriptor 0))))

(defun si:type-name (object)
  "The name of the type of an object, as the machine knows it."
  (si:descriptor-name (si:descriptor (si:type-number object))))

(defun si:structurep (object)
  "Whether it is a structure."
  (> (si:type-number object) 73))

(defun si:structure-name (object)
  "The name of the type of a structure."
  (si:type-name object))

(defun si:structure-type-p (symbol)
  "Whether a symbol is the name of a type of structures."
  (and (symbolp symbol) (si:truth (get symbol 'si:structure))))

(defun si:structure-descriptor (name)
  (si:descriptor (get name 'si:structure)))

(defun si:structure-parent (name)
  "The name of the included type, NIL if there is none."
  (let* ((descriptor (si:structure-descriptor name))
         (number (if (eq si:*generation* 3)
                     (si:word-at descriptor 17)
                     (si:word-at descriptor 15))))
    (if (eq number 0) nil (si:descriptor-name (si:descriptor number)))))

(defun si:structure-fields (name)
  "The names of the fields."
  (let ((descriptor (si:structure-descriptor name)))
    (if (eq si:*generation* 3)
        (si:pointer-at descriptor 6)
        (si:pointer-at descriptor 4))))

(defun si:make-structure (name)
  "A new structure; all fields are NIL."
  (si:create (get name 'si:structure)))

(defun si:structure-ref (structure index)
  (si:pointer-at (si:add-words structure (* 2 index)) 0))

(defun si:structure-set (structure index value)
  (si:store (si:add-words structure (* 2 index)) 0 value)
  value)

(declaim (si:global il:|\\MaxTypeNumber|))

(defconstant si:+last-type+ 1300)

(defun si:define-structure (name parent fields)
  "Makes a new type, unless there is one with the same fields."
  (unless (and (si:structure-type-p name)
               (equal fields (si:structure-fields name))
               (eq parent (si:structure-parent name)))
    (let ((number (+ il:|\\MaxTypeNumber| 1))
          (parent (if parent (get parent 'si:structure) 0)))
      (when (or (null parent) (> number si:+last-type+) (> (length fields) 255))
        (error "The structure ~S cannot be defined." name))
      (si:write-descriptor (si:descriptor number) name number parent fields)
      (setq il:|\\MaxTypeNumber| number)
      (si:set-get name 'si:structure number)))
  name)

(defun si:write-descriptor (descriptor name number parent fields)
  (let ((words (* 2 (max 1 (length fields))))
        (offsets (mapcar #'(lambda (index) (* 2 index)) (si:indices (length fields)))))
    (opcodes (subrcall 91 1) descriptor)
    (if (eq si:*generation* 3)
        (progn
          (si:set-pointer descriptor 0 name)
          (si:set-word descriptor 3 words)
          (si:store descriptor 6 fields)
          (si:store descriptor 10 offsets)
          (si:set-word (si:set-word descriptor 16 number) 17 parent))
        (progn
          (si:set-word (si:set-word descriptor 0 (si:low name)) 1 words)
          (si:store descriptor 4 fields)
          (si:set-word descriptor 6 (opcodes (llsh8) (si:high name)))
          (si:store descriptor 8 offsets)
          (si:set-word (si:set-word descriptor 14 number) 15 parent)))))

;;; Addresses.

(defun sxhash (object)
  "A number from 0 to 65535, the same for objects that are EQUAL."
  (si:hash-within object 5))

(defun si:hash-within (object depth)
  "The machine hashes lists of any depth, but gives up where they contain themselves."
  (cond ((atom object) (opcodes (miscn 2 1) object))
        ((eq depth 0) 0)
        (t
         (do ((rest object (cdr rest))
              (count 0 (+ count 1))
              (hash 0 (logand 65535 (+ (* 31 hash) (si:hash-within (car rest) (- depth 1))))))
             ((or (atom rest) (eq count 13)) hash)))))

(defun si:address-hash (object)
  "A number from 0 to 65535 from the address."
  (logand 65535 (+ (opcodes (lrsh1) (si:low object)) (* 1021 (logand 63 (si:high object))))))

(defun si:address-string (object)
  "The address as two octal numbers, as Interlisp prints it."
  (string-append (si:integer-digits (si:high object) 8) ","
                 (si:integer-digits (si:low object) 8)))
