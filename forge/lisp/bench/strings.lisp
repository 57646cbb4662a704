;;;; Strings and characters.

(defvar *strings-text*
  "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness.")

;;; Characters read, judged and written one by one.

(defun chars-vowel-p (c)
  (or (char= c #\a) (char= c #\e) (char= c #\i) (char= c #\o) (char= c #\u)))

(defun chars-turn (text)
  "The sum of the codes of TEXT backwards in capitals, and its vowels."
  (let* ((size (length text)) (copy (make-string size)) (vowels 0) (sum 0))
    (dotimes (i size)
      (let ((c (char text i)))
        (when (chars-vowel-p c)
          (setq vowels (+ vowels 1)))
        (setf (char copy (- size i 1)) (char-upcase c))))
    (dotimes (i size)
      (when (alpha-char-p (char copy i))
        (setq sum (logand 8191 (+ sum sum (char-code (char copy i)))))))
    (+ (* 100 sum) vowels)))

(define-benchmark "chars" 4000 (chars-turn *strings-text*) 422931)

;;; Words cut out of a text, compared and joined again.

(defun words-split (text)
  "The words of TEXT."
  (let ((words nil) (start 0))
    (dotimes (i (length text))
      (when (not (alpha-char-p (char text i)))
        (when (< start i)
          (setq words (cons (subseq text start i) words)))
        (setq start (+ i 1))))
    (nreverse words)))

(defun words-insert (word words)
  "WORDS, which are in order, with WORD if it is new."
  (cond ((null words) (list word))
        ((string= word (car words)) words)
        ((string< word (car words)) (cons word words))
        (t (cons (car words) (words-insert word (cdr words))))))

(defun words-all (text)
  (let ((words nil) (joined ""))
    (dolist (word (words-split text))
      (setq words (words-insert (string-upcase word) words)))
    (dolist (word words)
      (setq joined (concatenate 'string joined word " ")))
    (list (length words) (length joined) (position #\W joined))))

(define-benchmark "words" 600 (words-all *strings-text*) (10 54 37))
