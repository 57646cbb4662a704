;;;; The printer.

(defvar *print-escape* t "Whether what is printed can be read.")
(defvar *print-base* 10 "The radix of integers.")
(defvar *print-radix* nil "Whether integers are marked with their radix.")
(defvar *print-length* nil "How many elements of a list are printed, NIL for all.")
(defvar *print-level* nil "How deep lists are printed, NIL for any depth.")
(defvar *print-array* t "Whether the elements of arrays are printed.")
(defvar *print-case* :upcase "How symbols are printed: :UPCASE or :DOWNCASE.")
(defvar si:*print-depth* 0 "How deep the printer is.")

;;; Numbers.

(defun si:print-integer (integer stream)
  (when *print-radix*
    (case *print-base*
      (2 (write-string "#b" stream))
      (8 (write-string "#o" stream))
      (16 (write-string "#x" stream))
      (10 nil)
      (t (write-char #\# stream)
         (write-string (si:integer-digits *print-base* 10) stream)
         (write-char #\r stream))))
  (write-string (si:integer-digits integer *print-base*) stream)
  (when (and *print-radix* (eql *print-base* 10))
    (write-char #\. stream)))

(defun si:write-digits (digits stream)
  (dolist (digit digits)
    (write-char (digit-char digit) stream)))

(defun si:write-zeros (count stream)
  (dotimes (time count)
    (write-char #\0 stream)))

(defun si:print-float (float stream)
  (if (< (float-sign float) 0.0)
      (write-char #\- stream))
  (let ((size (abs float)))
    (cond ((= size 0.0) (write-string "0.0" stream))
          (t
           (multiple-value-bind (digits point) (si:float-digits size)
             (if (< -3 point 8)
                 (si:print-plain digits point stream)
                 (progn
                   (si:print-plain digits 1 stream)
                   (write-char #\e stream)
                   (write-string (si:integer-digits (- point 1) 10) stream))))))))

(defun si:print-plain (digits point stream)
  "Writes digits with a point before the power of 10."
  (let ((count (length digits)))
    (cond ((<= point 0)
           (write-string "0." stream)
           (si:write-zeros (- 0 point) stream)
           (si:write-digits digits stream))
          ((>= point count)
           (si:write-digits digits stream)
           (si:write-zeros (- point count) stream)
           (write-string ".0" stream))
          (t
           (si:write-digits (subseq digits 0 point) stream)
           (write-char #\. stream)
           (si:write-digits (nthcdr point digits) stream)))))

(defun si:print-number (number stream)
  (cond ((integerp number) (si:print-integer number stream))
        ((floatp number) (si:print-float number stream))
        (t
         (si:print-integer (numerator number) stream)
         (write-char #\/ stream)
         (si:print-integer (denominator number) stream))))

;;; Characters and strings.

(defun si:print-character (character stream)
  (cond ((not *print-escape*) (write-char character stream))
        (t
         (write-string "#\\" stream)
         (let ((name (char-name character)))
           (if name
               (write-string name stream)
               (write-char character stream))))))

(defun si:write-escaped (string delimiter stream)
  "Writes a string with the delimiter and backslashes escaped."
  (write-char delimiter stream)
  (dotimes (index (length string))
    (let ((character (char string index)))
      (when (or (eq character delimiter) (eq character #\\))
        (write-char #\\ stream))
      (write-char character stream)))
  (write-char delimiter stream))

(defun si:print-string (string stream)
  (if *print-escape*
      (si:write-escaped string #\" stream)
      (write-string string stream)))

;;; Symbols.

(defun si:plain-name-p (name)
  "Whether a symbol's name can be read as it is."
  (and (> (length name) 0)
       (every #'(lambda (character)
                  (and (si:constituent-p character)
                       (not (lower-case-p character))
                       (not (eq character #\:))))
              name)
       (not (every #'(lambda (character) (eq character #\.)) name))
       (not (si:token-number name 10))))

(defun si:print-name (name stream)
  (cond ((not (si:plain-name-p name)) (si:write-escaped name #\| stream))
        ((eq *print-case* :downcase) (write-string (string-downcase name) stream))
        (t (write-string name stream))))

(defun si:print-symbol (symbol stream)
  (let ((name (symbol-name symbol)))
    (cond (*print-escape*
           (write-string (si:package-prefix symbol) stream)
           (si:print-name name stream))
          ((eq *print-case* :downcase)
           (write-string (string-downcase name) stream))
          (t (write-string name stream)))))

(defun si:package-prefix (symbol)
  "What stands in front of the name."
  (let ((package (symbol-package symbol)))
    (cond ((null package) "#:")
          ((keywordp symbol) ":")
          ((multiple-value-bind (found where) (find-symbol (symbol-name symbol))
             (and where (eq found symbol)))
           "")
          (t (string-append (or (car (package-nicknames package)) (package-name package))
                            ":")))))

;;; Lists.

(defun si:abbreviation (list)
  "The prefix by which a form of two elements is abbreviated, NIL if it is not."
  (if (and (symbolp (car list)) (consp (cdr list)) (null (cddr list)))
      (case (car list)
        (quote "'")
        (function "#'")
        (si:backquote "`")
        (si:unquote ",")
        (si:splice ",@")
        (t nil))
      nil))

(defun si:print-list (list stream)
  (let ((prefix (si:abbreviation list)))
    (cond (prefix
           (write-string prefix stream)
           (si:print (cadr list) stream))
          (t
           (write-char #\( stream)
           (si:print-elements list stream)
           (write-char #\) stream)))))

(defun si:print-elements (list stream)
  (let ((count 0))
    (do ((rest list (cdr rest)))
        ((atom rest)
         (when rest
           (write-string " . " stream)
           (si:print rest stream)))
      (unless (eql count 0)
        (write-char #\Space stream))
      (when (and *print-length* (>= count *print-length*))
        (write-string "..." stream)
        (return nil))
      (si:print (car rest) stream)
      (setq count (+ count 1)))))

;;; Arrays.

(defun si:print-vector (vector stream)
  (cond (*print-array*
         (write-char #\# stream)
         (write-char #\( stream)
         (si:print-elements (coerce vector 'list) stream)
         (write-char #\) stream))
        (t (si:print-unreadable vector "VECTOR" stream))))

(defun si:matrix-contents (matrix)
  "The rows of a matrix as a list of lists."
  (mapcar #'(lambda (row)
              (mapcar #'(lambda (column) (aref matrix row column))
                      (si:indices (array-dimension matrix 1))))
          (si:indices (array-dimension matrix 0))))

(defun si:print-matrix (matrix stream)
  (cond (*print-array*
         (write-string "#2A" stream)
         (let ((rows (si:matrix-contents matrix)))
           (if rows
               (si:print-list rows stream)
               (write-string "()" stream))))
        (t (si:print-unreadable matrix "ARRAY" stream))))

;;; Other objects.

(defun si:print-unreadable (object description stream)
  (write-string "#<" stream)
  (write-string description stream)
  (write-string " " stream)
  (write-string (si:address-string object) stream)
  (write-string ">" stream))

(defun si:print-structure (structure stream)
  (let ((printer (si:inherited-property (type-of structure) 'si:printer)))
    (cond (printer (funcall printer structure stream))
          (t
           (write-string "#S(" stream)
           (si:print-elements (cons (type-of structure) (si:structure-contents structure))
                              stream)
           (write-string ")" stream)))))

(defun si:structure-contents (structure)
  "Names as keywords and values of the fields in turn."
  (let ((contents nil) (index 0))
    (dolist (field (si:structure-fields (type-of structure)) (nreverse contents))
      (push (intern (symbol-name field) "KEYWORD") contents)
      (push (si:structure-ref structure index) contents)
      (setq index (+ index 1)))))

(defun si:inherited-property (type indicator)
  "A property of a structure type or one it includes."
  (do ((type type (si:structure-parent type)))
      ((null type) nil)
    (let ((value (get type indicator)))
      (when value
        (return value)))))

(defun si:print-condition (condition stream)
  (if *print-escape*
      (progn
        (write-string "#<" stream)
        (write-string (symbol-name (type-of condition)) stream)
        (write-string ": " stream)
        (si:report-condition condition stream)
        (write-char #\> stream))
      (si:report-condition condition stream)))

(defun si:print-named (type name stream)
  (format stream "#<~A ~A>" type name))

(si:set-get 'condition 'si:printer #'si:print-condition)
(si:set-get 'package 'si:printer
            #'(lambda (package stream)
                (si:print-named "PACKAGE" (package-name package) stream)))
(si:set-get 'hash-table 'si:printer
            #'(lambda (table stream)
                (format stream "#<~A table of ~D entries>"
                        (hash-table-test table) (hash-table-count table))))
(si:set-get 'si:text-stream 'si:printer
            #'(lambda (object stream) (si:print-unreadable object "STREAM" stream)))

(defun si:print-function (function stream)
  (si:print-named "FUNCTION" (si:function-name function) stream))

(defun si:print (object stream)
  "Prints an object of any kind."
  (cond ((symbolp object) (si:print-symbol object stream))
        ((numberp object) (si:print-number object stream))
        ((characterp object) (si:print-character object stream))
        ((stringp object) (si:print-string object stream))
        ((and *print-level* (>= si:*print-depth* *print-level*))
         (write-char #\# stream))
        ((functionp object) (si:print-function object stream))
        (t
         (let ((si:*print-depth* (+ si:*print-depth* 1)))
           (cond ((consp object) (si:print-list object stream))
                 ((vectorp object) (si:print-vector object stream))
                 ((arrayp object) (si:print-matrix object stream))
                 ((si:structurep object) (si:print-structure object stream))
                 (t (si:print-unreadable object (string (type-of object)) stream)))))))

;;; Entries.

(defun prin1 (object &optional stream)
  "Prints an object so that it can be read."
  (let ((*print-escape* t))
    (si:print object (si:output-stream stream)))
  object)

(defun princ (object &optional stream)
  "Prints an object for people."
  (let ((*print-escape* nil))
    (si:print object (si:output-stream stream)))
  object)

(defun print (object &optional stream)
  "Prints an object on a new line so that it can be read."
  (terpri stream)
  (prin1 object stream)
  (write-char #\Space stream)
  object)

(defun pprint (object &optional stream)
  "Prints an object on a new line."
  (terpri stream)
  (prin1 object stream)
  (values))

(defun write (object &key (stream nil) (escape *print-escape*) (base *print-base*)
                          (radix *print-radix*) (length *print-length*)
                          (level *print-level*) (array *print-array*)
                          (case *print-case*) pretty readably circle gensym)
  "Prints an object as the arguments say."
  (let ((*print-escape* escape) (*print-base* base) (*print-radix* radix)
        (*print-length* length) (*print-level* level) (*print-array* array)
        (*print-case* case))
    (si:print object (si:output-stream stream)))
  object)

(defun prin1-to-string (object)
  "What PRIN1 prints."
  (with-output-to-string (stream) (prin1 object stream)))

(defun princ-to-string (object)
  "What PRINC prints."
  (with-output-to-string (stream) (princ object stream)))

(defun write-to-string (object &rest options)
  "What WRITE prints."
  (with-output-to-string (stream)
    (apply #'write object :stream stream options)))
