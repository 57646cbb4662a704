;;;; FORMAT. A control string is parsed to a list of strings and directives, which are
;;;; then carried out; a directive that encloses others has them as clauses, each a
;;;; list of the same kind.

(defstruct (si:directive (:copier nil))
  character     ; a capital letter
  parameters    ; numbers, characters, NIL, or :ARGUMENT and :COUNT
  colon         ; whether there is a colon
  at            ; whether there is an at sign
  clauses)      ; what it encloses

(defvar si:*arguments* nil "The arguments of FORMAT that are left.")
(defvar si:*all-arguments* nil "All arguments at this level.")

;;; Parsing. The text is in a stream.

(defun si:format-error (description)
  (error "~A in a control string." description))

(defun si:next-control-character (stream)
  (or (si:next-character stream)
      (si:format-error "Something is missing")))

(defun si:parse-parameter (stream)
  "A parameter, NIL if there is none."
  (let ((character (si:next-control-character stream)))
    (cond ((eq character #\') (si:next-control-character stream))
          ((member character '(#\v #\V)) :argument)
          ((eq character #\#) :count)
          ((or (digit-char-p character) (member character '(#\- #\+)))
           (let ((digits (list character)))
             (do () (nil)
               (let ((next (si:next-control-character stream)))
                 (unless (digit-char-p next)
                   (unread-char next stream)
                   (return (parse-integer (si:string-from (nreverse digits)))))
                 (push next digits)))))
          (t (unread-char character stream)
             nil))))

(defun si:parse-parameters (stream)
  (let ((parameters (list (si:parse-parameter stream))))
    (do () (nil)
      (let ((character (si:next-control-character stream)))
        (unless (eq character #\,)
          (unread-char character stream)
          (return (nreverse parameters))))
      (push (si:parse-parameter stream) parameters))))

(defun si:skip-white-space (stream)
  (let ((character (si:next-character stream)))
    (do () ((or (null character) (not (si:white-space-p character))))
      (setq character (si:next-character stream)))
    (when character
      (unread-char character stream))))

(defun si:parse-directive (stream)
  "The directive behind a tilde."
  (let ((directive (si:make-directive :parameters (si:parse-parameters stream))))
    (do () (nil)
      (let ((character (si:next-control-character stream)))
        (case character
          (#\: (setf (si:directive-colon directive) t))
          (#\@ (setf (si:directive-at directive) t))
          (t
           (setf (si:directive-character directive) (char-upcase character))
           (return nil)))))
    (when (eq (si:directive-character directive) #\Newline)
      (unless (si:directive-colon directive)
        (si:skip-white-space stream)))
    (let ((end (cdr (assoc (si:directive-character directive)
                           '((#\{ . #\}) (#\[ . #\]) (#\( . #\)))))))
      (when end
        (setf (si:directive-clauses directive) (si:parse-clauses stream end))))
    directive))

(defun si:parse-clauses (stream end)
  "What stands between a directive and its end, parted by semicolons. The clause behind
~:; begins with :ELSE."
  (let ((clauses nil) (clause nil))
    (do () (nil)
      (let ((item (si:parse-item stream)))
        (cond ((null item) (si:format-error "The end of a directive is missing"))
              ((stringp item) (push item clause))
              ((eq (si:directive-character item) end)
               (return (nreverse (cons (nreverse clause) clauses))))
              ((eq (si:directive-character item) #\;)
               (push (nreverse clause) clauses)
               (setq clause (if (si:directive-colon item) (list :else) nil)))
              (t (push item clause)))))))

(defun si:parse-item (stream)
  "The next string or directive, NIL at the end."
  (let ((text nil))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (cond ((and character (not (eq character #\~)))
               (push character text))
              (text
               (when character
                 (unread-char character stream))
               (return (si:string-from (nreverse text))))
              (character (return (si:parse-directive stream)))
              (t (return nil)))))))

(defun si:parse-control (control)
  "The items of a control string."
  (let ((stream (make-string-input-stream control))
        (items nil))
    (do () (nil)
      (let ((item (si:parse-item stream)))
        (unless item
          (return (nreverse items)))
        (push item items)))))

;;; Execution.

(defun si:next-argument ()
  (if si:*arguments*
      (pop si:*arguments*)
      (si:format-error "There are too few arguments for a directive")))

(defconstant si:+greatest-parameter+ 100000)

(defun si:parameter (directive index &optional default)
  "The value of a parameter."
  (let* ((given (nth index (si:directive-parameters directive)))
         (value (cond ((eq given :argument) (or (si:next-argument) default))
                      ((eq given :count) (length si:*arguments*))
                      (t (or given default)))))
    (when (and (numberp value) (> (abs value) si:+greatest-parameter+))
      (si:format-error (format nil "The parameter ~D is too large" value)))
    value))

(defun si:run-items (items stream)
  "Carries out items; T if ~^ has ended that."
  (dolist (item items nil)
    (cond ((stringp item) (write-string item stream))
          ((eq item :else) nil)
          ((eq (si:directive-character item) #\^)
           (unless si:*arguments*
             (return t)))
          ((si:run-directive item stream)
           (return t)))))

(defun si:run-with (items stream arguments)
  "Carries out items with these arguments; T if ~^ has ended that."
  (let ((si:*arguments* arguments)
        (si:*all-arguments* arguments))
    (si:run-items items stream)))

(defun si:run-directive (directive stream)
  "T if ~^ was met inside."
  (case (si:directive-character directive)
    (#\A (si:format-object directive stream #'princ-to-string) nil)
    (#\S (si:format-object directive stream #'prin1-to-string) nil)
    (#\W (prin1 (si:next-argument) stream) nil)
    (#\D (si:format-integer directive stream 10 0) nil)
    (#\B (si:format-integer directive stream 2 0) nil)
    (#\O (si:format-integer directive stream 8 0) nil)
    (#\X (si:format-integer directive stream 16 0) nil)
    (#\R (if (si:directive-parameters-given-p directive)
             (si:format-integer directive stream (si:parameter directive 0 10) 1)
             (si:write-number-in-words (si:next-argument) directive stream))
         nil)
    (#\F (si:format-fixed directive stream) nil)
    (#\E (si:format-exponential stream) nil)
    (#\G (prin1 (float (si:next-argument)) stream) nil)
    (#\C (si:format-character directive stream) nil)
    (#\P (si:format-plural directive stream) nil)
    (#\% (si:repeat directive #\Newline stream) nil)
    (#\~ (si:repeat directive #\~ stream) nil)
    (#\& (fresh-line stream)
         (dotimes (time (- (si:parameter directive 0 1) 1) nil)
           (terpri stream)))
    (#\Newline (when (si:directive-at directive) (terpri stream)) nil)
    (#\T (si:format-tabulation directive stream) nil)
    (#\* (si:go-to-argument directive) nil)
    (#\? (si:format-recursively directive stream))
    (#\( (si:format-case directive stream))
    (#\[ (si:format-choice directive stream))
    (#\{ (si:format-iteration directive stream) nil)
    (t (si:format-error (string-append "An unknown directive ~"
                                       (string (si:directive-character directive)))))))

(defun si:repeat (directive character stream)
  (dotimes (time (si:parameter directive 0 1))
    (write-char character stream)))

(defun si:write-padded (text width left character stream)
  "Writes text and before or behind it what the width wants."
  (let ((missing (- width (length text))))
    (unless left
      (write-string text stream))
    (dotimes (time missing)
      (write-char character stream))
    (when left
      (write-string text stream))))

(defun si:format-object (directive stream to-string)
  (let* ((width (si:parameter directive 0 0))
         (character (si:parameter directive 3 #\Space))
         (object (si:next-argument))
         (text (if (and (null object) (si:directive-colon directive))
                   "()"
                   (funcall to-string object))))
    (si:write-padded text width (si:directive-at directive) character stream)))

(defun si:with-commas (digits separator)
  "Digits in groups of three."
  (let ((result nil)
        (left (length digits)))
    (dotimes (index (length digits) (si:string-from (nreverse result)))
      (push (char digits index) result)
      (setq left (- left 1))
      (when (and (> left 0) (eql (si:remainder left 3) 0)
                 (digit-char-p (char digits index) 36))
        (push separator result)))))

(defun si:format-integer (directive stream radix first)
  "An integer; the parameters begin with number FIRST."
  (let* ((width (si:parameter directive first 0))
         (padding (si:parameter directive (+ first 1) #\Space))
         (separator (si:parameter directive (+ first 2) #\,))
         (number (si:next-argument)))
    (if (integerp number)
        (let ((text (si:integer-digits number radix)))
          (when (si:directive-colon directive)
            (setq text (si:with-commas text separator)))
          (when (and (si:directive-at directive) (>= number 0))
            (setq text (string-append "+" text)))
          (si:write-padded text width t padding stream))
        (let ((*print-base* radix))
          (si:write-padded (princ-to-string number) width t padding stream)))))

(defun si:fixed-text (number places)
  "A number with so many digits behind the point."
  (let* ((scaled (values (floor (+ 1 (* 2 (abs (rational number)) (expt 10 places))) 2)))
         (digits (si:integer-digits scaled 10))
         (missing (- (+ places 1) (length digits))))
    (when (> missing 0)
      (setq digits (string-append (make-string missing :initial-element #\0) digits)))
    (let ((point (- (length digits) places)))
      (string-append (subseq digits 0 point) "." (subseq digits point)))))

(defun si:plain-text (number)
  "A number with as many digits as it needs, without exponent."
  (let ((size (abs (float number))))
    (if (= size 0.0)
        "0.0"
        (multiple-value-bind (digits point) (si:float-digits size)
          (with-output-to-string (stream)
            (si:print-plain digits point stream))))))

;;; Numbers in words.

(defvar si:*small-numbers*
  '#("zero" "one" "two" "three" "four" "five" "six" "seven" "eight" "nine" "ten" "eleven"
     "twelve" "thirteen" "fourteen" "fifteen" "sixteen" "seventeen" "eighteen" "nineteen"))
(defvar si:*tens*
  '#("" "" "twenty" "thirty" "forty" "fifty" "sixty" "seventy" "eighty" "ninety"))
(defvar si:*powers-of-thousand*
  '#("" " thousand" " million" " billion" " trillion" " quadrillion" " quintillion"))
(defvar si:*ordinals*
  '(("one" . "first") ("two" . "second") ("three" . "third") ("five" . "fifth")
    ("eight" . "eighth") ("nine" . "ninth") ("twelve" . "twelfth")))
(declaim (si:global si:*small-numbers* si:*tens* si:*powers-of-thousand* si:*ordinals*))

(defun si:number-in-words (number)
  "The name of an integer, NIL if it is too large to have one."
  (cond ((< number 0)
         (let ((words (si:number-in-words (- number))))
           (and words (string-append "negative " words))))
        ((< number 20) (svref si:*small-numbers* number))
        ((< number 100)
         (multiple-value-bind (tens rest) (floor number 10)
           (if (= rest 0)
               (svref si:*tens* tens)
               (string-append (svref si:*tens* tens) "-" (svref si:*small-numbers* rest)))))
        ((< number 1000) (si:join-words number 100 " hundred"))
        (t
         (let ((power (floor (- (length (si:integer-digits number 10)) 1) 3)))
           (if (< power (length si:*powers-of-thousand*))
               (si:join-words number (expt 1000 power) (svref si:*powers-of-thousand* power))
               nil)))))

(defun si:join-words (number unit name)
  (multiple-value-bind (count rest) (floor number unit)
    (string-append (si:number-in-words count) name
                   (if (= rest 0) "" " ")
                   (if (= rest 0) "" (si:number-in-words rest)))))

(defun si:ordinal (words)
  "The ordinal number: the last word becomes another one."
  (let* ((place (position-if #'(lambda (character) (find character " -")) words :from-end t))
         (start (if place (+ place 1) 0))
         (last (subseq words start))
         (entry (assoc last si:*ordinals* :test #'string=))
         (size (length last)))
    (string-append (subseq words 0 start)
                   (cond (entry (cdr entry))
                         ((eq (char last (- size 1)) #\y)
                          (string-append (subseq last 0 (- size 1)) "ieth"))
                         (t (string-append last "th"))))))

(defun si:roman (number)
  "The number in Roman numerals."
  (let ((text ""))
    (dolist (entry '((1000 . "M") (900 . "CM") (500 . "D") (400 . "CD") (100 . "C")
                     (90 . "XC") (50 . "L") (40 . "XL") (10 . "X") (9 . "IX") (5 . "V")
                     (4 . "IV") (1 . "I"))
                   text)
      (do () ((< number (car entry)))
        (setq text (string-append text (cdr entry)))
        (setq number (- number (car entry)))))))

(defun si:write-number-in-words (number directive stream)
  "~R without a radix: a name, ~:R an ordinal number, ~@R a Roman one."
  (write-string
   (cond ((not (integerp number)) (princ-to-string number))
         ((and (si:directive-at directive) (< 0 number 4000)) (si:roman number))
         (t
          (let ((words (si:number-in-words number)))
            (cond ((null words) (si:integer-digits number 10))
                  ((si:directive-colon directive) (si:ordinal words))
                  (t words)))))
   stream))

(defun si:directive-parameters-given-p (directive)
  (some #'identity (si:directive-parameters directive)))

(defun si:format-exponential (stream)
  "~E: a digit in front of the point."
  (let* ((number (float (si:next-argument)))
         (size (abs number))
         (exponent (if (= size 0.0) 0 (floor (log size 10)))))
    ;; The logarithm may be a little off.
    (do () ((or (= size 0.0) (< (/ size (expt 10.0 exponent)) 10.0)))
      (setq exponent (+ exponent 1)))
    (do () ((or (= size 0.0) (>= (/ size (expt 10.0 exponent)) 1.0)))
      (setq exponent (- exponent 1)))
    (format stream "~Ae~:[~;+~]~D"
            (/ number (expt 10.0 exponent)) (>= exponent 0) exponent)))

(defun si:format-fixed (directive stream)
  (let* ((width (si:parameter directive 0 0))
         (places (si:parameter directive 1))
         (padding (si:parameter directive 4 #\Space))
         (number (si:next-argument)))
    (if (numberp number)
        (let ((text (if places (si:fixed-text number places) (si:plain-text number))))
          (cond ((< number 0) (setq text (string-append "-" text)))
                ((si:directive-at directive) (setq text (string-append "+" text))))
          (si:write-padded text width t padding stream))
        (si:write-padded (princ-to-string number) width t padding stream))))

(defun si:format-character (directive stream)
  (let ((character (si:next-argument)))
    (cond ((si:directive-at directive) (prin1 character stream))
          ((and (si:directive-colon directive) (char-name character))
           (write-string (char-name character) stream))
          (t (write-char character stream)))))

(defun si:format-plural (directive stream)
  (when (si:directive-colon directive)
    (si:go-back 1))
  (let ((one (eql (si:next-argument) 1)))
    (cond ((si:directive-at directive) (write-string (if one "y" "ies") stream))
          ((not one) (write-string "s" stream)))))

(defun si:go-back (count)
  (let ((used (- (length si:*all-arguments*) (length si:*arguments*))))
    (setq si:*arguments* (nthcdr (max 0 (- used count)) si:*all-arguments*))))

(defun si:go-to-argument (directive)
  (cond ((si:directive-at directive)
         (setq si:*arguments* (nthcdr (si:parameter directive 0 0) si:*all-arguments*)))
        ((si:directive-colon directive)
         (si:go-back (si:parameter directive 0 1)))
        (t
         (setq si:*arguments* (nthcdr (si:parameter directive 0 1) si:*arguments*)))))

(defun si:format-tabulation (directive stream)
  (let* ((column (si:stream-column stream))
         (wanted (si:parameter directive 0 1))
         (step (si:parameter directive 1 1)))
    (dotimes (time (cond ((si:directive-at directive) wanted)
                         ((< column wanted) (- wanted column))
                         ((eql step 0) 0)
                         (t (- step (si:remainder (- column wanted) step)))))
      (write-char #\Space stream))))

(defun si:format-recursively (directive stream)
  (let ((items (si:parse-control (si:next-argument))))
    (if (si:directive-at directive)
        (si:run-items items stream)
        (progn (si:run-with items stream (si:next-argument)) nil))))

(defun si:format-case (directive stream)
  (let* ((stopped nil)
         (text (with-output-to-string (inner)
                 (setq stopped
                       (si:run-items (car (si:directive-clauses directive)) inner))))
         (colon (si:directive-colon directive))
         (at (si:directive-at directive)))
    (write-string (cond ((and colon at) (string-upcase text))
                        (colon (string-capitalize text))
                        (at (si:capitalize-first (string-downcase text)))
                        (t (string-downcase text)))
                  stream)
    stopped))

(defun si:capitalize-first (text)
  (let ((index (position-if #'alpha-char-p text)))
    (if index
        (nstring-upcase text :start index :end (+ index 1))
        text)))

(defun si:format-choice (directive stream)
  (let ((clauses (si:directive-clauses directive)))
    (cond ((si:directive-colon directive)
           (si:run-items (if (si:next-argument) (cadr clauses) (car clauses)) stream))
          ((si:directive-at directive)
           (cond ((car si:*arguments*) (si:run-items (car clauses) stream))
                 (t (pop si:*arguments*) nil)))
          (t
           (let* ((index (or (si:parameter directive 0) (si:next-argument)))
                  (last (car (last clauses)))
                  (clause (if (and (integerp index) (< -1 index (length clauses)))
                              (nth index clauses)
                              (if (eq (car last) :else) last nil))))
             (si:run-items clause stream))))))

(defun si:format-iteration (directive stream)
  (let* ((limit (si:parameter directive 0))
         (items (car (si:directive-clauses directive)))
         (items (or items (si:parse-control (si:next-argument)))))
    (cond ((and (si:directive-at directive) (si:directive-colon directive))
           (si:iterate-over-lists items stream limit si:*arguments*)
           (setq si:*arguments* nil))
          ((si:directive-at directive)
           (si:iterate items stream limit))
          ((si:directive-colon directive)
           (si:iterate-over-lists items stream limit (si:next-argument)))
          (t
           (let* ((list (si:next-argument))
                  (si:*arguments* list)
                  (si:*all-arguments* list))
             (si:iterate items stream limit))))))

(defun si:iterate (items stream limit)
  "Carries out items until the arguments are used up."
  (do ((count 0 (+ count 1)))
      ((or (null si:*arguments*) (and limit (>= count limit))) nil)
    (when (si:run-items items stream)
      (return nil))))

(defun si:iterate-over-lists (items stream limit lists)
  "Carries out items with each of the lists as arguments."
  (let ((count 0))
    (dolist (list lists nil)
      (when (and limit (>= count limit))
        (return nil))
      (si:run-with items stream list)
      (setq count (+ count 1)))))

(defun format (destination control &rest arguments)
  "Writes what the control string says to a stream, T for the standard output, NIL for a
string, which is returned."
  (cond ((null destination)
         (with-output-to-string (stream)
           (si:format-to stream control arguments)))
        (t
         (si:format-to (if (eq destination t) *standard-output* destination)
                       control arguments)
         nil)))

(defun si:format-to (stream control arguments)
  (if (stringp control)
      (si:run-with (si:parse-control control) stream arguments)
      (apply control stream arguments)))
