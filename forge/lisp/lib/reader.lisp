;;;; The reader.

(defvar *read-base* 10 "The radix of integers that are read.")
(defvar *read-eval* t "Whether #. is allowed.")
(defvar *features* '(:geiko :interlisp-vm) "What #+ and #- ask for.")

;;; Characters.

(defun si:delimiter-p (character)
  "Whether it ends a name or number."
  (or (si:white-space-p character)
      (member character '(#\( #\) #\" #\' #\` #\, #\;))))

(defun si:constituent-p (character)
  "Whether it can stand anywhere in a name."
  (not (or (si:delimiter-p character)
           (member character '(#\# #\| #\\)))))

(defun si:reader-error (stream control &rest arguments)
  (error 'reader-error :stream stream :format-control control
                       :format-arguments arguments))

(defun si:next-or-error (stream)
  (or (si:next-character stream)
      (error 'end-of-file :stream stream)))

;;; Numbers.

(defun si:token-integer (token start end radix)
  "The integer in a part of the token, NIL if it is none."
  (let ((value nil)
        (negative (and (< start end) (eq (char token start) #\-))))
    (when (and (< start end) (member (char token start) '(#\+ #\-)))
      (setq start (+ start 1)))
    (do ((index start (+ index 1)))
        ((>= index end)
         (if (and value negative) (- 0 value) value))
      (let ((digit (digit-char-p (char token index) radix)))
        (unless digit
          (return nil))
        (setq value (+ digit (* radix (or value 0))))))))

(defun si:token-ratio (token slash radix)
  (let ((above (si:token-integer token 0 slash radix))
        (below (if (digit-char-p (char token (- (length token) 1)) radix)
                   (si:token-integer token (+ slash 1) (length token) radix)
                   nil)))
    (if (and above below (> below 0))
        (/ above below)
        nil)))

(defun si:token-float (token)
  "The float: digits, one point at most, and an exponent unless there is a point with
digits behind it."
  (let* ((mark (position-if #'(lambda (character) (find character "EeFfSsDdLl")) token))
         (exponent (if mark (si:token-integer token (+ mark 1) (length token) 10) 0))
         (end (or mark (length token)))
         (point (position #\. token :end end))
         (places (if point (- end point 1) 0))
         (digits (if point
                     (string-append (subseq token 0 point) (subseq token (+ point 1) end))
                     (subseq token 0 end)))
         (negative (and (> (length digits) 0) (eq (char digits 0) #\-)))
         (value (si:token-integer digits 0 (length digits) 10)))
    (if (and value exponent
             (or mark (> places 0))
             (not (and mark (eql mark 0)))
             (digit-char-p (char token (- (length token) 1)))
             (or (null point) (not (find (char token (min (+ point 1) (- end 1))) "+-"))))
        (let ((float (si:float-of-decimal value (- exponent places))))
          (if (and negative (= float 0.0)) (si:make-float 32768 0) float))
        nil)))

(defun si:token-number (token radix)
  "The number that a token denotes, NIL if it is a name."
  (let* ((size (length token))
         (first (if (> size 0) (char token 0) #\a))
         (slash (position #\/ token)))
    (cond ((not (or (digit-char-p first radix) (digit-char-p first)
                    (member first '(#\+ #\- #\.))))
           nil)
          ((si:token-integer token 0 size radix))
          (slash (si:token-ratio token slash radix))
          ((and (> size 1) (eq (char token (- size 1)) #\.))
           (si:token-integer token 0 (- size 1) 10))
          (t (si:token-float token)))))

;;; Tokens. What is read as a name or number, in capital letters where it is not
;;; escaped, with the places of colons and whether anything is escaped.

(defun si:read-token (stream)
  "The characters, those that are escaped, and the escape flag."
  (let ((characters nil) (colons nil) (count 0) (escaped nil) (inside nil))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (cond ((null character)
               (if inside
                   (error 'end-of-file :stream stream)
                   (return nil)))
              ((eq character #\|)
               (setq inside (not inside) escaped t))
              ((eq character #\\)
               (push (si:next-or-error stream) characters)
               (setq count (+ count 1) escaped t))
              (inside
               (push character characters)
               (setq count (+ count 1)))
              ((si:delimiter-p character)
               (unread-char character stream)
               (return nil))
              (t
               (when (eq character #\:)
                 (push count colons))
               (push (char-upcase character) characters)
               (setq count (+ count 1))))))
    (values (si:string-from (nreverse characters)) (nreverse colons) escaped)))

(defvar si:*dot* (list 'dot) "What a single point is read as.")
(defvar si:*close* (list 'close) "What a closing parenthesis is read as.")
(defvar si:*nothing* (list 'nothing) "What a comment is read as.")

(defun si:read-name-or-number (stream)
  (multiple-value-bind (token colons escaped) (si:read-token stream)
    (cond (colons (si:symbol-in-package token colons stream))
          (escaped (values (intern token)))
          ((string= token ".") si:*dot*)
          ((si:token-number token *read-base*))
          (t (values (intern token))))))

(defun si:symbol-in-package (token colons stream)
  "The symbol of a token with one colon or two in it."
  (let* ((first (car colons))
         (second (if (and (cdr colons) (eql (cadr colons) (+ first 1))) (cadr colons) first))
         (name (subseq token (+ second 1))))
    (cond ((eql first 0) (values (intern name "KEYWORD")))
          (t
           (let ((package (find-package (subseq token 0 first))))
             (unless package
               (si:reader-error stream "There is no package ~A."
                                (subseq token 0 first)))
             (values (intern name package)))))))

;;; Lists, strings, comments.

(defun si:read-list (stream)
  "The rest of a list behind its opening parenthesis."
  (let* ((head (list nil))
         (end head))
    (do () (nil)
      (let ((item (si:read-item stream)))
        (cond ((eq item si:*close*)
               (return (cdr head)))
              ((eq item si:*dot*)
               (when (eq end head)
                 (si:reader-error stream "Nothing stands before the dot in a list."))
               (rplacd end (si:read-form stream))
               (unless (eq (si:read-item stream) si:*close*)
                 (si:reader-error stream "More than one object follows the dot in a list."))
               (return (cdr head)))
              (t
               (rplacd end (list item))
               (setq end (cdr end))))))))

(defun si:read-string (stream delimiter)
  "The rest of a string."
  (let ((characters nil))
    (do () (nil)
      (let ((character (si:next-or-error stream)))
        (cond ((eq character delimiter)
               (return (si:string-from (nreverse characters))))
              ((eq character #\\)
               (push (si:next-or-error stream) characters))
              (t (push character characters)))))))

(defun si:skip-line (stream)
  (do ((character (si:next-character stream) (si:next-character stream)))
      ((or (null character) (eq character #\Newline))
       si:*nothing*)))

(defun si:skip-block-comment (stream)
  "Skips a comment up to its |#; there may be others in it."
  (let ((depth 1) (last nil))
    (do () ((eql depth 0) si:*nothing*)
      (let ((character (si:next-or-error stream)))
        (cond ((and (eq last #\|) (eq character #\#))
               (setq depth (- depth 1) last nil))
              ((and (eq last #\#) (eq character #\|))
               (setq depth (+ depth 1) last nil))
              (t (setq last character)))))))

;;; The number sign.

(defun si:read-character (stream)
  "The character behind #\\."
  (let ((first (si:next-or-error stream))
        (rest nil))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (when (or (null character)
                  (not (si:constituent-p character)))
          (when character
            (unread-char character stream))
          (return nil))
        (push character rest)))
    (if (null rest)
        first
        (let ((name (si:string-from (cons first (nreverse rest)))))
          (or (name-char name)
              (si:reader-error stream "There is no character ~A." name))))))

(defun si:read-in-radix (stream radix)
  (multiple-value-bind (token colons escaped) (si:read-token stream)
    (let ((slash (position #\/ token)))
      (or (if slash
              (si:token-ratio token slash radix)
              (si:token-integer token 0 (length token) radix))
          (si:reader-error stream "~A is not a number in radix ~D." token radix)))))

(defun si:feature-p (condition)
  "Whether a condition of #+ is met."
  (if (consp condition)
      (cond ((string= (car condition) "AND") (every #'si:feature-p (cdr condition)))
            ((string= (car condition) "OR") (some #'si:feature-p (cdr condition)))
            ((string= (car condition) "NOT") (not (si:feature-p (cadr condition))))
            (t nil))
      (and (member condition *features* :test #'string=) t)))

(defun si:read-conditional (stream wanted)
  "Reads the next form if the features are as wanted, or skips it."
  (let* ((*package* (find-package "KEYWORD"))
         (condition (si:read-form stream))
         (met (si:feature-p condition)))
    (if (eq met wanted)
        si:*nothing*
        :skip)))

(defun si:read-vector-contents (stream size)
  "The vector behind #(; a size repeats the last element."
  (let* ((list (si:read-list stream))
         (missing (- (or size 0) (length list))))
    (si:vector-of (if (> missing 0)
                      (append list (make-list missing :initial-element (car (last list))))
                      list))))

(defun si:read-structure (stream)
  "The structure of #S(TYPE :FIELD VALUE ...)."
  (let* ((form (si:read-form stream))
         (type (car form)))
    (unless (si:structure-type-p type)
      (si:reader-error stream "~S is not a type of structures." type))
    (let ((structure (si:make-structure type)))
      (do ((rest (cdr form) (cddr rest)))
          ((null rest) structure)
        (si:set-slot structure (car rest) (cadr rest))))))

(defun si:read-array (stream rank)
  (let ((contents (si:read-form stream)))
    (case rank
      (1 (coerce contents 'vector))
      (2 (make-array (list (length contents) (length (elt contents 0)))
                     :initial-contents contents))
      (t (si:reader-error stream "There are no arrays of ~S dimensions." rank)))))

(defun si:read-number-sign (stream)
  "What follows a number sign."
  (let ((argument nil)
        (character (si:next-or-error stream)))
    (do () ((not (digit-char-p character)))
      (setq argument (+ (* 10 (or argument 0)) (digit-char-p character)))
      (setq character (si:next-or-error stream)))
    (case (char-upcase character)
      (#\' (list 'function (si:read-form stream)))
      (#\\ (si:read-character stream))
      (#\( (si:read-vector-contents stream argument))
      (#\| (si:skip-block-comment stream))
      (#\: (make-symbol (values (si:read-token stream))))
      (#\. (if *read-eval*
               (eval (si:read-form stream))
               (si:reader-error stream "#. is not allowed.")))
      (#\B (si:read-in-radix stream 2))
      (#\O (si:read-in-radix stream 8))
      (#\X (si:read-in-radix stream 16))
      (#\R (si:read-in-radix stream argument))
      (#\S (si:read-structure stream))
      (#\A (si:read-array stream argument))
      (#\+ (si:skip-unless (si:read-conditional stream t) stream))
      (#\- (si:skip-unless (si:read-conditional stream nil) stream))
      (t (si:reader-error stream "#~C has no meaning." character)))))

(defun si:skip-unless (result stream)
  (when (eq result :skip)
    (si:read-form stream))
  si:*nothing*)

;;; Objects.

(defun si:read-unquote (stream)
  (let ((next (si:next-or-error stream)))
    (cond ((or (eq next #\@) (eq next #\.))
           (list 'si:splice (si:read-form stream)))
          (t
           (unread-char next stream)
           (list 'si:unquote (si:read-form stream))))))

(defun si:read-item (stream)
  "The next object or mark; an error at the end of the input."
  (do () (nil)
    (let ((item (si:read-one stream (si:next-or-error stream))))
      (unless (eq item si:*nothing*)
        (return item)))))

(defun si:read-one (stream character)
  "The object, mark or comment that begins with the character."
  (case character
    (#\( (si:read-list stream))
    (#\) si:*close*)
    (#\' (list 'quote (si:read-form stream)))
    (#\` (list 'si:backquote (si:read-form stream)))
    (#\, (si:read-unquote stream))
    (#\" (si:read-string stream #\"))
    (#\; (si:skip-line stream))
    (#\# (si:read-number-sign stream))
    (t
     (cond ((si:white-space-p character) si:*nothing*)
           (t
            (unread-char character stream)
            (si:read-name-or-number stream))))))

(defun si:read-form (stream)
  "The next object."
  (let ((item (si:read-item stream)))
    (cond ((eq item si:*close*)
           (si:reader-error stream "A closing parenthesis has no opening one."))
          ((eq item si:*dot*)
           (si:reader-error stream "A dot stands outside a list."))
          (t item))))

(defun read (&optional stream (eof-error-p t) eof-value recursive-p)
  "Reads an object."
  (let ((stream (si:input-stream stream)))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (when (null character)
          (return (si:end-of-file stream eof-error-p eof-value)))
        (unless (si:white-space-p character)
          (let ((item (si:read-one stream character)))
            (cond ((eq item si:*close*)
                   (si:reader-error stream "A closing parenthesis has no opening one."))
                  ((eq item si:*dot*)
                   (si:reader-error stream "A dot stands outside a list."))
                  ((not (eq item si:*nothing*))
                   (return item)))))))))

(defun read-from-string (string &optional (eof-error-p t) eof-value
                                &key (start 0) end)
  "Reads an object from a string; the second value is the index where it ends."
  (let* ((index start)
         (end (or end (length string)))
         (stream (si:make-text-stream
                  :reader #'(lambda ()
                              (if (>= index end)
                                  nil
                                  (prog1 (char string index)
                                    (setq index (+ index 1)))))))
         (object (read stream eof-error-p eof-value)))
    (values object (if (si:stream-pushed stream) (- index 1) index))))

(defun read-delimited-list (character &optional stream recursive-p)
  "Reads objects up to a closing parenthesis."
  (si:read-list (si:input-stream stream)))
