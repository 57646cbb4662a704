;;;; Characters: codes from 0 to 65535, the first 256 of them those of Latin 1.

(defconstant char-code-limit 65536)

(defun char-int (character)
  "The code of a character."
  (char-code character))

(defun character (object)
  "The character that a character, string or symbol of length 1 stands for."
  (if (characterp object)
      object
      (let ((string (string object)))
        (if (eql (length string) 1)
            (char string 0)
            (si:wrong-type object 'character)))))

;;; Kinds.

(defun si:upper-code-p (code)
  (or (<= 65 code 90)
      (and (<= 192 code 222) (not (eql code 215)))))

(defun si:lower-code-p (code)
  (or (<= 97 code 122)
      (and (<= 224 code 254) (not (eql code 247)))))

(defun upper-case-p (character)
  "Whether it is a capital letter."
  (si:upper-code-p (char-code character)))

(defun lower-case-p (character)
  "Whether it is a small letter."
  (si:lower-code-p (char-code character)))

(defun both-case-p (character)
  "Whether it is a letter that there is in both cases."
  (or (upper-case-p character) (lower-case-p character)))

(defun alpha-char-p (character)
  "Whether it is a letter."
  (or (both-case-p character)
      (eql (char-code character) 223)
      (eql (char-code character) 255)))

(defun char-upcase (character)
  "The capital letter of a small one."
  (if (lower-case-p character)
      (code-char (- (char-code character) 32))
      character))

(defun char-downcase (character)
  "The small letter of a capital one."
  (if (upper-case-p character)
      (code-char (+ (char-code character) 32))
      character))

(defun digit-char-p (character &optional (radix 10))
  "The value of a digit, NIL if it is none."
  (let* ((code (char-code (char-upcase character)))
         (value (cond ((<= 48 code 57) (- code 48))
                      ((<= 65 code 90) (- code 55))
                      (t 36))))
    (if (< value radix) value nil)))

(defun digit-char (value &optional (radix 10))
  "The digit of a value, NIL if there is none."
  (cond ((>= value radix) nil)
        ((< value 10) (code-char (+ value 48)))
        (t (code-char (+ value 55)))))

(defun alphanumericp (character)
  "Whether it is a letter or a decimal digit."
  (or (alpha-char-p character)
      (not (null (digit-char-p character)))))

(defun graphic-char-p (character)
  "Whether it prints as one character."
  (let ((code (char-code character)))
    (and (>= code 32) (not (<= 127 code 159)))))

(defun standard-char-p (character)
  "Whether every Common Lisp has it."
  (or (<= 32 (char-code character) 126)
      (eql character #\Newline)))

;;; Order.

(defun si:ordered-p (test key character more)
  "Whether TEST is true for the keys of all neighbours."
  (let ((last (funcall key character)))
    (dolist (next more t)
      (let ((value (funcall key next)))
        (unless (funcall test last value)
          (return nil))
        (setq last value)))))

(defun char= (character &rest more)
  "Whether all characters are the same."
  (si:ordered-p #'eq #'char-code character more))

(defun char< (character &rest more)
  "Whether the codes ascend."
  (si:ordered-p #'< #'char-code character more))

(defun char> (character &rest more)
  "Whether the codes descend."
  (si:ordered-p #'> #'char-code character more))

(defun char<= (character &rest more)
  "Whether the codes do not descend."
  (si:ordered-p #'<= #'char-code character more))

(defun char>= (character &rest more)
  "Whether the codes do not ascend."
  (si:ordered-p #'>= #'char-code character more))

(defun char/= (character &rest more)
  "Whether all characters are different."
  (do ((rest (cons character more) (cdr rest)))
      ((null rest) t)
    (when (member (car rest) (cdr rest))
      (return nil))))

(defun si:folded-code (character)
  (char-code (char-downcase character)))

(defun char-equal (character &rest more)
  "Whether all characters are the same but for their case."
  (si:ordered-p #'eq #'si:folded-code character more))

(defun char-lessp (character &rest more)
  "CHAR< without regard to case."
  (si:ordered-p #'< #'si:folded-code character more))

(defun char-greaterp (character &rest more)
  "CHAR> without regard to case."
  (si:ordered-p #'> #'si:folded-code character more))

;;; Names.

(defvar si:*character-names*
  '(("Space" . 32) ("Newline" . 10) ("Tab" . 9) ("Return" . 13) ("Page" . 12)
    ("Backspace" . 8) ("Rubout" . 127) ("Escape" . 27) ("Null" . 0)
    ("Linefeed" . 10) ("Nul" . 0) ("Esc" . 27) ("Delete" . 127)))

(defun char-name (character)
  "The name of a character that does not print."
  (let ((code (char-code character)))
    (or (car (rassoc code si:*character-names*))
        (if (graphic-char-p character)
            nil
            (si:code-name code)))))

(defun si:code-name (code)
  (string-append "U+" (si:integer-digits code 16)))

(defun name-char (name)
  "The character with that name, NIL if there is none."
  (let* ((name (string name))
         (entry (assoc name si:*character-names* :test #'string-equal)))
    (cond (entry (code-char (cdr entry)))
          ((and (> (length name) 2) (string-equal (subseq name 0 2) "U+"))
           (let ((code (parse-integer name :start 2 :radix 16 :junk-allowed t)))
             (and code (code-char code))))
          (t nil))))
