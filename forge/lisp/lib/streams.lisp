;;;; Streams of characters. A stream is what its functions do.

(defstruct (si:text-stream (:conc-name si:stream-) (:copier nil))
  reader      ; a function that returns the next character, or NIL at the end
  writer      ; a function of a character
  closer      ; a function, or NIL
  pushed      ; a character that was given back, or NIL
  (column 0)  ; how many characters the last line has
  contents)   ; what was written, the last character first, in a string stream

(defun streamp (object)
  "Whether it is a stream."
  (si:text-stream-p object))

(defun input-stream-p (stream)
  "Whether characters can be read from it."
  (and (si:stream-reader stream) t))

(defun output-stream-p (stream)
  "Whether characters can be written to it."
  (and (si:stream-writer stream) t))

(defvar *terminal-io*
  (si:make-text-stream :reader #'si:console-read-char :writer #'si:console-write-char)
  "The console.")
(defvar *standard-input* *terminal-io* "Where input comes from.")
(defvar *standard-output* *terminal-io* "Where output goes to.")
(defvar *error-output*
  (si:make-text-stream :writer #'si:console-write-error-char)
  "Where messages about errors go to.")
(defvar *trace-output* *terminal-io* "Where messages about calls and times go to.")
(defvar *query-io* *terminal-io* "Where the user is asked.")

(defun si:input-stream (designator)
  "The stream that NIL, T or a stream means as input."
  (cond ((null designator) *standard-input*)
        ((eq designator t) *terminal-io*)
        ((si:text-stream-p designator) designator)
        (t (si:wrong-type designator 'stream))))

(defun si:output-stream (designator)
  "The stream that NIL, T or a stream means as output."
  (cond ((null designator) *standard-output*)
        ((eq designator t) *terminal-io*)
        ((si:text-stream-p designator) designator)
        (t (si:wrong-type designator 'stream))))

(defun close (stream &key abort)
  "Ends the use of a stream."
  (when (si:stream-closer stream)
    (funcall (si:stream-closer stream))
    (setf (si:stream-closer stream) nil))
  t)

;;; Input.

(defun si:next-character (stream)
  "The next character, NIL at the end."
  (let ((pushed (si:stream-pushed stream)))
    (cond (pushed
           (setf (si:stream-pushed stream) nil)
           pushed)
          ((si:stream-reader stream)
           (funcall (si:stream-reader stream)))
          (t (error "The stream ~S is not for input." stream)))))

(defun si:end-of-file (stream error-p value)
  (if error-p
      (error 'end-of-file :stream stream)
      value))

(defun read-char (&optional stream (eof-error-p t) eof-value recursive-p)
  "Reads a character."
  (let ((stream (si:input-stream stream)))
    (or (si:next-character stream)
        (si:end-of-file stream eof-error-p eof-value))))

(defun unread-char (character &optional stream)
  "Gives back the character that was read last."
  (setf (si:stream-pushed (si:input-stream stream)) character)
  nil)

(defun peek-char (&optional peek-type stream (eof-error-p t) eof-value recursive-p)
  "The next character, which stays; with T that after white space, with a character the
next one like it."
  (let ((stream (si:input-stream stream)))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (when (null character)
          (return (si:end-of-file stream eof-error-p eof-value)))
        (when (cond ((null peek-type) t)
                    ((eq peek-type t) (not (si:white-space-p character)))
                    (t (eq character peek-type)))
          (setf (si:stream-pushed stream) character)
          (return character))))))

(defun listen (&optional stream)
  "Whether a character can be read without waiting."
  (let ((stream (si:input-stream stream)))
    (cond ((si:stream-pushed stream) t)
          ((eq stream *terminal-io*) (and (si:console-listen) t))
          (t (and (peek-char nil stream nil) t)))))

(defun read-line (&optional stream (eof-error-p t) eof-value recursive-p)
  "Reads a line as a string; a second value tells whether it ended with the input."
  (let ((stream (si:input-stream stream))
        (line nil))
    (do () (nil)
      (let ((character (si:next-character stream)))
        (cond ((eq character #\Newline)
               (return (values (si:string-from (nreverse line)) nil)))
              (character (push character line))
              (line
               (return (values (si:string-from (nreverse line)) t)))
              (t
               (return (values (si:end-of-file stream eof-error-p eof-value) t))))))))

(defun make-string-input-stream (string &optional (start 0) end)
  "A stream of the characters of a string."
  (let ((end (or end (length string))))
    (si:make-text-stream
     :reader #'(lambda ()
                 (if (>= start end)
                     nil
                     (prog1 (char string start)
                       (setq start (+ start 1))))))))

;;; Output.

(defun write-char (character &optional stream)
  "Writes a character."
  (let ((stream (si:output-stream stream)))
    (unless (si:stream-writer stream)
      (error "The stream ~S is not for output." stream))
    (funcall (si:stream-writer stream) character)
    (setf (si:stream-column stream)
          (if (eq character #\Newline) 0 (+ (si:stream-column stream) 1)))
    character))

(defun write-string (string &optional stream &key (start 0) end)
  "Writes the characters of a string."
  (let ((stream (si:output-stream stream)))
    (do ((index start (+ index 1))
         (end (or end (length string))))
        ((>= index end) string)
      (write-char (char string index) stream))))

(defun write-line (string &optional stream)
  "Writes a string and ends the line."
  (write-string string stream)
  (terpri stream)
  string)

(defun terpri (&optional stream)
  "Ends the line."
  (write-char #\Newline stream)
  nil)

(defun fresh-line (&optional stream)
  "Ends the line if it has characters; whether it did."
  (let ((stream (si:output-stream stream)))
    (cond ((eql (si:stream-column stream) 0) nil)
          (t (terpri stream) t))))

(defun finish-output (&optional stream)
  "Has everything written that was kept so far."
  (si:console-flush)
  nil)

(defun force-output (&optional stream)
  "Has everything written that was kept so far."
  (finish-output stream))

(defun make-string-output-stream ()
  "A stream that keeps what is written."
  (let ((stream (si:make-text-stream)))
    (setf (si:stream-writer stream)
          #'(lambda (character)
              (setf (si:stream-contents stream)
                    (cons character (si:stream-contents stream)))))
    stream))

(defun get-output-stream-string (stream)
  "What was written to a string stream since the last time."
  (let ((contents (si:stream-contents stream)))
    (setf (si:stream-contents stream) nil)
    (si:string-from (nreverse contents))))

(defun make-broadcast-stream (&rest streams)
  "A stream that writes to several ones."
  (si:make-text-stream
   :writer #'(lambda (character)
               (dolist (stream streams)
                 (write-char character stream)))))

(defmacro with-output-to-string (binding &rest body)
  "The string of what the forms write to the stream that is bound."
  `(let ((,(car binding) (make-string-output-stream)))
     ,@body
     (get-output-stream-string ,(car binding))))

(defmacro with-input-from-string (binding &rest body)
  "Evaluates the forms with a variable bound to a stream of a string."
  `(let ((,(car binding) (make-string-input-stream ,(cadr binding))))
     ,@body))

;;; Files.

(defun open (name &key (direction :input) (if-does-not-exist :error) if-exists
                       external-format element-type)
  "A stream of the characters of a file."
  (let ((file (case direction
                (:input (si:open-file name nil))
                (:output (si:open-file name t))
                (t (error "~S is not a direction of files." direction)))))
    (cond ((null file)
           (if (eq if-does-not-exist :error)
               (si:signal-file-error name)
               nil))
          ((eq direction :input)
           (si:file-input-stream file))
          (t
           (si:make-text-stream
            :writer #'(lambda (character) (si:file-write-char file character))
            :closer #'(lambda () (si:close-file file)))))))

(defun si:file-input-stream (file)
  (si:make-text-stream :reader #'(lambda () (si:file-read-char file))
                       :closer #'(lambda () (si:close-file file))))

(defmacro with-open-file (binding &rest body)
  "Evaluates the forms with a variable bound to a stream of a file."
  `(let ((,(car binding) (open ,@(cdr binding))))
     (unwind-protect (progn ,@body)
       (when ,(car binding)
         (close ,(car binding))))))

(defun probe-file (name)
  "The name of the file if it can be read, else NIL."
  (let ((file (si:open-file name nil)))
    (cond (file (si:close-file file) name)
          (t nil))))
