;;;; The console: the host's standard input and output as bytes, characters in
;;;; UTF-8.
;;;;
;;;; Output is kept until a line or the buffer is complete, or input is wanted.
;;;; Reading and writing never waits in the machine: what cannot be done now is
;;;; tried again.

(defvar si:*console-input* nil "The number of the open file.")
(defvar si:*console-output* nil "The number of the open file.")
(defvar si:*console-other* nil
  "The number of the other open file for output: that for errors, or the normal one.")
(defvar si:*to-error* nil "Whether output goes to the file for errors now.")
(defvar si:*console-error* nil "The cell for the number of an error.")
(defvar si:*input-buffer* nil "A page.")
(defvar si:*input-next* 0 "The next byte to be read.")
(defvar si:*input-end* 0 "The bytes in the buffer.")
(defvar si:*input-ended* nil "True behind the last byte.")
(defvar si:*input-pushed* nil "A character that was given back.")
(defvar si:*output-buffer* nil "A page.")
(defvar si:*output-end* 0 "The bytes in the buffer.")
(declaim (si:global si:*console-input* si:*console-output* si:*console-error*
                    si:*console-other* si:*to-error*
                    si:*input-buffer* si:*input-next* si:*input-end* si:*input-ended*
                    si:*input-pushed* si:*output-buffer* si:*output-end*))

(defconstant si:+would-block+ 11)
(defconstant si:+buffer-bytes+ 512)

(defun si:console-error-cell ()
  (or si:*console-error* (setq si:*console-error* (si:create 2))))

(defun si:console-forget ()
  "Nothing is open in a fresh session."
  (setq si:*console-input* nil si:*console-output* nil si:*console-other* nil
        si:*to-error* nil si:*input-next* 0
        si:*input-end* 0 si:*input-ended* nil si:*input-pushed* nil
        si:*output-end* 0))

(defun si:make-buffer ()
  "A page of bytes, as an array block."
  (si:allocate-block 128 0))

(defun si:wait-a-moment (nanoseconds)
  (opcodes (subrcall 210 1) nanoseconds))

;;; Output.

(defun si:console-flush ()
  "Writes what is in the buffer."
  (unless si:*console-output*
    (setq si:*console-output*
          (si:open-device (if si:*to-error* "/dev/stderr" "/dev/stdout") 1)))
  (let ((next 0) (buffer si:*output-buffer*))
    (when si:*console-output*
      (do () ((>= next si:*output-end*))
        (let ((count (opcodes (subrcall 208 5) si:*console-output* buffer 0
                              (- si:*output-end* next) (si:console-error-cell))))
          (cond (count
                 (setq next (+ next count))
                 (when (< next si:*output-end*)
                   (si:shift-bytes buffer count (- si:*output-end* next))
                   (setq si:*output-end* (- si:*output-end* next))
                   (setq next 0)))
                ((eq (si:word-at si:*console-error* 1) si:+would-block+)
                 (si:wait-a-moment 1000000))
                (t (setq next si:*output-end*))))))
    (setq si:*output-end* 0)))

(defun si:shift-bytes (buffer from count)
  "Moves COUNT bytes to the beginning of a buffer: services want them there."
  (dotimes (index count)
    (si:set-byte buffer index (si:byte-at buffer (+ from index)))))

(defun si:console-write-byte (byte)
  (unless si:*output-buffer*
    (setq si:*output-buffer* (si:make-buffer)))
  (si:set-byte si:*output-buffer* si:*output-end* byte)
  (setq si:*output-end* (+ si:*output-end* 1))
  (when (eq si:*output-end* si:+buffer-bytes+)
    (si:console-flush)))

(defun si:console-write-code (code)
  "Writes a character by its code."
  (cond ((< code #x80)
         (si:console-write-byte code)
         (when (eq code 10)
           (si:console-flush)))
        ((< code #x800)
         (si:console-write-byte (+ #xC0 (opcodes (lsh) code -6)))
         (si:console-write-byte (+ #x80 (opcodes (logand2) code #x3F))))
        (t
         (si:console-write-byte (+ #xE0 (opcodes (lsh) code -12)))
         (si:console-write-byte (+ #x80 (opcodes (logand2) (opcodes (lsh) code -6) #x3F)))
         (si:console-write-byte (+ #x80 (opcodes (logand2) code #x3F))))))

(defun si:console-direct (to-error)
  "What is written goes to the standard output or to that for errors, in the order in
which it is written."
  (unless (eq to-error si:*to-error*)
    (si:console-flush)
    (setq si:*to-error* to-error)
    (let ((other si:*console-other*))
      (setq si:*console-other* si:*console-output*)
      (setq si:*console-output* other))))

(defun si:console-write-char (character)
  (when si:*to-error*
    (si:console-direct nil))
  (si:console-write-code (si:low character))
  character)

(defun si:console-write-error-char (character)
  (unless si:*to-error*
    (si:console-direct t))
  (si:console-write-code (si:low character))
  character)

(defun si:console-write-string (string)
  (dotimes (index (si:array-fill string))
    (si:console-write-char (opcodes (aref1) string index)))
  string)

(defun si:console-message (string)
  "A line about the machine itself."
  (dotimes (index (si:array-fill string))
    (si:console-write-error-char (opcodes (aref1) string index)))
  (si:console-write-code 10))

;;; Input.

(defun si:console-fill ()
  "Gets what there is to read: T, or NIL if there is nothing yet. At the end of the
input SI:*INPUT-ENDED* becomes true."
  (unless si:*console-input*
    (setq si:*console-input* (si:open-device "/dev/stdin" 0))
    (unless si:*console-input*
      (setq si:*input-ended* t)))
  (unless si:*input-buffer*
    (setq si:*input-buffer* (si:make-buffer)))
  (if si:*input-ended*
      nil
      (let ((count (opcodes (subrcall 207 5) si:*console-input* si:*input-buffer* 0
                            si:+buffer-bytes+ (si:console-error-cell))))
        ;; Reading bytes does not tell the end from a pause. Reading a page does;
        ;; one behind the end of a regular file has no bytes.
        (unless count
          (setq count (opcodes (subrcall 37 4) si:*console-input* 4000000
                               si:*input-buffer* (si:console-error-cell)))
          (when (eq count 0)
            (setq si:*input-ended* t)
            (setq count nil)))
        (when count
          (setq si:*input-next* 0)
          (setq si:*input-end* count)
          t))))

(defun si:console-buffered-p ()
  "True if a byte has been read that nobody wanted yet."
  (or si:*input-pushed*
      (< si:*input-next* si:*input-end*)))

(defun si:open-device (name access)
  "The number of a device of the host, NIL if there is none. ACCESS is 0 for input, 1 for
output."
  (opcodes (subrcall 200 3) name access (si:console-error-cell)))

(defun si:console-listen ()
  "True if a byte can be read without waiting."
  (or si:*input-pushed*
      (< si:*input-next* si:*input-end*)
      (si:console-fill)))

(defun si:console-read-byte ()
  "Waits for a byte; NIL at the end of the input."
  (let ((pause 100000))
    (block read
      (tagbody
       again
         (when (< si:*input-next* si:*input-end*)
           (setq si:*input-next* (+ si:*input-next* 1))
           (return-from read (si:byte-at si:*input-buffer* (- si:*input-next* 1))))
         (si:console-flush)
         (when (si:console-fill)
           (go again))
         (unless si:*input-ended*
           (si:wait-a-moment pause)
           (when (< pause 20000000)
             (setq pause (* 2 pause)))
           (go again)))
      nil)))

(defun si:console-read-rest (code count)
  "The character whose encoding goes on with COUNT bytes."
  (dotimes (index count)
    (setq code (+ (opcodes (lsh) code 6)
                  (opcodes (logand2) (or (si:console-read-byte) 0) #x3F))))
  code)

(defun si:console-read-char ()
  "The next character, NIL at the end of the input. What Lisp has no character for
becomes the replacement character, U+FFFD."
  (if si:*input-pushed*
      (let ((character si:*input-pushed*))
        (setq si:*input-pushed* nil)
        character)
      (let ((byte (si:console-read-byte)))
        (when byte
          (let ((code (cond ((< byte #x80) byte)
                            ((< byte #xE0) (si:console-read-rest (opcodes (logand2) byte #x1F) 1))
                            ((< byte #xF0) (si:console-read-rest (opcodes (logand2) byte #x0F) 2))
                            (t (si:console-read-rest 0 3) #xFFFD))))
            (si:make-pointer 7 code))))))

(defun si:console-unread-char (character)
  (setq si:*input-pushed* character))

(defun si:console-peek-char ()
  "The next character, which stays; NIL at the end of the input."
  (let ((character (si:console-read-char)))
    (when character
      (si:console-unread-char character))
    character))
