;;;; What the machine leaves to Lisp: functions that are called in the place of an
;;;; instruction, with its operands. Numbers are the library's; the rest is errors.

(defun il:\\unknown.ufn ()
  (error "An instruction that does not exist was executed."))

;;; Lists and types.

(defun il:\\car.ufn (object)
  (si:wrong-type object 'list))

(defun il:\\cdr.ufn (object)
  (si:wrong-type object 'list))

(defun il:\\rplaca.ufn (object value)
  (si:wrong-type object 'cons))

(defun il:\\rplacd.ufn (object value)
  (si:wrong-type object 'cons))

(defun il:\\rplcons (object value)
  (si:wrong-type object 'cons))

(defun il:\\dtest.ufn (object type)
  ;; The operand of the instruction is the number of the type's name.
  (si:wrong-type object (if (eq (si:type-number type) 1) (si:make-pointer 0 type) type)))

(defun il:fmemb (item list)
  (si:wrong-type list 'list))

(defun il:listget (list property)
  (si:wrong-type list 'list))

(defun il:%simple-assoc (key list)
  (do ((rest list (cdr rest))) ((null rest) nil)
    (when (and (car rest) (eql key (car (car rest))))
      (return (car rest)))))

(defun il:%simple-member (item list)
  (do ((rest list (cdr rest))) ((null rest) nil)
    (when (eql item (car rest))
      (return rest))))

(defun il:\\createcell (type)
  (error "There are no objects of type ~S to be made." type))

;;; Numbers.

(defun il:\\slowplus2 (a b) (si:generic-+ a b))
(defun il:\\slowdifference (a b) (si:generic-- a b))
(defun il:\\slowtimes2 (a b) (si:generic-* a b))
(defun il:\\slowquotient (a b) (si:generic-quotient a b))
;; Integer instructions are compiled for any numbers: the machine does floats.
(defun il:\\slowiplus2 (a b) (opcodes (plus2) a b))
(defun il:\\slowidifference (a b) (opcodes (difference) a b))
(defun il:\\slowitimes2 (a b) (opcodes (times2) a b))
(defun il:\\slowiquotient (a b) (si:integer-quotient a b))
(defun il:iremainder (a b) (si:integer-remainder a b))
(defun il:\\slowfplus2 (a b) (si:float-trap '+ a b))
(defun il:\\slowfdifference (a b) (si:float-trap '- a b))
(defun il:\\slowftimes2 (a b) (si:float-trap '* a b))
(defun il:\\slowfquotient (a b) (si:float-trap '/ a b))
(defun il:\\slowllsh1 (a) (si:generic-ash a 1))
(defun il:\\slowllsh8 (a) (si:generic-ash a 8))
(defun il:\\slowlrsh1 (a) (si:generic-ash a -1))
(defun il:\\slowlrsh8 (a) (si:generic-ash a -8))
(defun il:lsh (a n) (si:generic-ash a n))
(defun il:\\slowlogor2 (a b) (si:generic-logior a b))
(defun il:\\slowlogand2 (a b) (si:generic-logand a b))
(defun il:\\slowlogxor2 (a b) (si:generic-logxor a b))
(defun il:\\slowigreaterp (a b) (si:generic-> a b))
(defun il:\\slowfgreaterp (a b) (si:generic-> a b))
(defun il:greaterp (a b) (si:generic-> a b))
(defun il:%= (a b) (si:generic-= a b))
(defun il:eql (a b) (si:generic-eql a b))
(defun il:equal (a b) (si:generic-equal a b))

(defun il:\\unboxfloat1 (operation)
  (error "A number was expected, or the result of an operation on floats is too large."))

(defun il:\\unboxfloat2 (operation)
  (error "The result of an operation on floats is too large, or there is none."))

(defun il:\\unboxfloat3 (operation)
  (error "The result of an operation on floats is too large, or there is none."))

;;; Arrays.

(defun il:%aref1 (array index)
  (si:aref-trap array index))

(defun il:%aset1 (value array index)
  (si:aset-trap value array index))

;;; Functions and variables.

(defun il:\\interpreter (&rest arguments)
  "Called for a definition that is not compiled, the function behind its
arguments."
  (let* ((function (car (last arguments)))
         (arguments (butlast arguments)))
    (si:apply-uncompiled function arguments)))

(defun il:\\evalform (form)
  (si:eval-form form))

(defun il:\\eval (object)
  (if (symbolp object)
      (si:unbound-variable object)
      object))
