;;;; Strings: vectors of characters. Where a string is wanted a symbol stands for its
;;;; name and a character for a string of length 1.

(defun string (object)
  "The string that an object stands for."
  (cond ((stringp object) object)
        ((symbolp object) (symbol-name object))
        ((characterp object) (make-string 1 :initial-element object))
        (t (si:wrong-type object 'string))))

(defun make-string (size &key initial-element element-type)
  "A new string."
  (let ((string (si:make-string size)))
    (if (and initial-element (> size 0))
        (fill string initial-element)
        string)))

(defun string-append (&rest strings)
  "A new string of all the characters."
  (si:concatenate-strings (mapcar #'string strings)))

;;; Comparison.

(defun si:difference (a b start1 end1 start2 end2 fold)
  "Where two strings differ first: the index in A, and what the order of the codes
there is, -1, 0 at the end of both, or 1."
  (let ((index start1) (other start2)
        (end1 (or end1 (length a)))
        (end2 (or end2 (length b))))
    (do () (nil)
      (cond ((>= index end1)
             (return (values index (if (>= other end2) 0 -1))))
            ((>= other end2)
             (return (values index 1))))
      (let ((x (char a index)) (y (char b other)))
        (unless (eq x y)
          (let ((x (if fold (si:folded-code x) (char-code x)))
                (y (if fold (si:folded-code y) (char-code y))))
            (cond ((< x y) (return (values index -1)))
                  ((> x y) (return (values index 1)))))))
      (setq index (+ index 1) other (+ other 1)))))

(defmacro si:define-string-order (name fold orders documentation)
  "Defines a comparison that is true for some of the orders -1, 0 and 1; its value is
the index of the first difference."
  `(defun ,name (a b &key (start1 0) end1 (start2 0) end2)
     ,documentation
     (multiple-value-bind (index order)
         (si:difference (string a) (string b) start1 end1 start2 end2 ,fold)
       (if (member order ',orders) index nil))))

(si:define-string-order string< nil (-1) "Whether A comes before B.")
(si:define-string-order string> nil (1) "Whether A comes after B.")
(si:define-string-order string<= nil (-1 0) "Whether A does not come after B.")
(si:define-string-order string>= nil (0 1) "Whether A does not come before B.")
(si:define-string-order string/= nil (-1 1) "Whether the strings differ.")
(si:define-string-order string-lessp t (-1) "STRING< without regard to case.")
(si:define-string-order string-greaterp t (1) "STRING> without regard to case.")

(defun string= (a b &key (start1 0) end1 (start2 0) end2)
  "Whether the strings have the same characters."
  (multiple-value-bind (index order)
      (si:difference (string a) (string b) start1 end1 start2 end2 nil)
    (eql order 0)))

(defun string-equal (a b &key (start1 0) end1 (start2 0) end2)
  "Whether the strings have the same characters but for their case."
  (multiple-value-bind (index order)
      (si:difference (string a) (string b) start1 end1 start2 end2 t)
    (eql order 0)))

;;; Case.

(defun si:map-string (function string start end)
  "Replaces characters of the string itself."
  (do ((index start (+ index 1))
       (end (or end (length string))))
      ((>= index end) string)
    (setf (char string index) (funcall function (char string index)))))

(defun nstring-upcase (string &key (start 0) end)
  "Changes the letters to capital ones."
  (si:map-string #'char-upcase string start end))

(defun nstring-downcase (string &key (start 0) end)
  "Changes the letters to small ones."
  (si:map-string #'char-downcase string start end))

(defun string-upcase (string &key (start 0) end)
  "A copy with capital letters."
  (nstring-upcase (copy-seq (string string)) :start start :end end))

(defun string-downcase (string &key (start 0) end)
  "A copy with small letters."
  (nstring-downcase (copy-seq (string string)) :start start :end end))

(defun string-capitalize (string &key (start 0) end)
  "A copy in which every word begins with a capital letter."
  (let ((inside nil))
    (si:map-string #'(lambda (character)
                       (prog1 (if inside (char-downcase character) (char-upcase character))
                         (setq inside (alphanumericp character))))
                   (copy-seq (string string)) start end)))

;;; Parts.

(defun string-left-trim (bag string)
  "The string without characters of the bag at the beginning."
  (let* ((string (string string))
         (start (position-if-not #'(lambda (character) (find character bag)) string)))
    (subseq string (or start (length string)))))

(defun string-right-trim (bag string)
  "The string without characters of the bag at the end."
  (let* ((string (string string))
         (last (position-if-not #'(lambda (character) (find character bag)) string
                                :from-end t)))
    (subseq string 0 (if last (+ last 1) 0))))

(defun string-trim (bag string)
  "The string without characters of the bag at the beginning and at the end."
  (string-left-trim bag (string-right-trim bag string)))

;;; Integers in strings.

(defun si:white-space-p (character)
  (and (member (char-code character) '(32 10 9 13 12)) t))

(defun parse-integer (string &key (start 0) end (radix 10) junk-allowed)
  "The integer that the string denotes, and the index where that ends."
  (let* ((end (or end (length string)))
         (index start)
         (sign 1)
         (value nil))
    (do () ((or (>= index end) (not (si:white-space-p (char string index)))))
      (setq index (+ index 1)))
    (when (< index end)
      (case (char string index)
        (#\- (setq sign -1 index (+ index 1)))
        (#\+ (setq index (+ index 1)))))
    (do () ((>= index end))
      (let ((digit (digit-char-p (char string index) radix)))
        (unless digit
          (return nil))
        (setq value (+ (* (or value 0) radix) digit))
        (setq index (+ index 1))))
    (unless junk-allowed
      (do () ((or (>= index end) (not (si:white-space-p (char string index)))))
        (setq index (+ index 1)))
      (when (or (null value) (< index end))
        (error 'parse-error :text string)))
    (values (if value (* sign value) nil) index)))

(defun si:integer-digits (integer radix)
  "The digits of an integer as a string."
  (let ((digits nil)
        (negative (< integer 0)))
    (if (si:fixnump integer)
        (do ((rest integer (si:quotient rest radix)))
            ((eql rest 0))
          ;; The least integer of 32 bits has no opposite.
          (push (digit-char (abs (si:remainder rest radix)) radix) digits))
        (setq digits (si:magnitude-digits (si:magnitude integer) radix)))
    (cond ((null digits) (push #\0 digits))
          (negative (push #\- digits)))
    (si:string-from digits)))

(defun si:magnitude-digits (magnitude radix)
  "Divides by the greatest power of the radix that is one digit of a magnitude."
  (let ((digits nil) (power radix) (count 1))
    (do () ((> (* power radix) si:+digit-mask+))
      (setq power (* power radix) count (+ count 1)))
    (do () ((null magnitude))
      (multiple-value-bind (quotient group) (si:divide-by-digit magnitude power)
        (setq magnitude quotient)
        (dotimes (place count)
          (push (digit-char (si:remainder group radix) radix) digits)
          (setq group (si:quotient group radix)))))
    (member-if #'(lambda (digit) (not (eq digit #\0))) digits)))
