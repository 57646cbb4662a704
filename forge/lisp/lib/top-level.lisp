;;;; The top level: the read-eval-print loop, programs from files, and what happens
;;;; when nobody handles an error.

(defvar * nil "The last value.")
(defvar ** nil "The last value but one.")
(defvar *** nil "The last value but two.")
(defvar + nil "The last form.")
(defvar ++ nil "The last form but one.")
(defvar +++ nil "The last form but two.")
(defvar - nil "The form that is evaluated.")
(defvar / nil "The list of the last values.")

(defvar si:*prompt* "> " "What asks for a form.")
(defvar si:*last-error* nil "The condition of the last error.")
(defvar si:*last-frames* nil "The functions that were at work then.")
(declaim (si:global si:*last-error* si:*last-frames*))

;;; Errors.

(defun si:remember-error (condition)
  (setq si:*last-error* condition)
  (setq si:*last-frames* (si:call-frames)))

(defun si:unhandled (condition)
  "Reports an error and goes back to the top level, or ends the session with status 1
if there is no user."
  (si:remember-error condition)
  (let ((*print-length* 10) (*print-level* 4) (*handlers* nil) (si:*print-depth* 0)
        (*standard-output* (progn (fresh-line *terminal-io*) *error-output*)))
    (format *error-output* "~&Error: ~A~%" condition)
    (backtrace (if si:*interactive* 5 10))
    (unless si:*interactive*
      (si:quit 1)))
  (throw 'si:top-level nil))

(defun backtrace (&optional (limit 30))
  "Prints which functions were at work when the last error happened."
  (let ((*print-length* 5) (*print-level* 3) (count 0))
    (dolist (frame si:*last-frames* (values))
      (when (>= count limit)
        (format t "  ...~%")
        (return (values)))
      (format t "~3D  ~S~%" count frame)
      (setq count (+ count 1)))))

(defun si:user-interrupt (code)
  "The user has typed an interrupt character."
  (si:remember-error nil)
  (fresh-line *terminal-io*)
  (format *error-output* "~&Interrupted.~%")
  (if si:*interactive*
      (throw 'si:top-level nil)
      (si:quit 130)))

(defun break (&optional (control "Break") &rest arguments)
  "Goes back to the top level with a message."
  (apply #'error control arguments))

;;; The loop.

(defun si:set-history (form values)
  (setq +++ ++ ++ + + form)
  (setq / values)
  (setq *** ** ** * * (car values)))

(defun si:evaluate-and-print (form)
  "Evaluates a form and prints its values."
  (setq - form)
  (let ((values (multiple-value-list (si:eval-compiled form))))
    (si:set-history form values)
    (fresh-line)
    (dolist (value values)
      (prin1 value)
      (terpri))))

(defun si:rest-of-line-p ()
  "Whether there is more on the line that was read last. Otherwise the line is forgotten,
so that a program that reads gets the next one."
  (do () ((not (or (si:stream-pushed *terminal-io*) (si:console-buffered-p))) nil)
    (let ((character (read-char *terminal-io* nil)))
      (cond ((null character) (return nil))
            ((eq character #\Newline) (return nil))
            ((not (si:white-space-p character))
             (unread-char character *terminal-io*)
             (return t))))))

(defun si:read-and-evaluate (prompt)
  "True at the end of the input."
  (when (and prompt (not (si:rest-of-line-p)))
    (fresh-line *terminal-io*)
    (write-string prompt *terminal-io*))
  (let ((form (read *terminal-io* nil si:*nothing*)))
    (si:rest-of-line-p)
    (when si:*interactive*
      ;; The user has ended the line.
      (setf (si:stream-column *terminal-io*) 0))
    (if (eq form si:*nothing*)
        t
        (progn (si:evaluate-and-print form) nil))))

(defun si:forget-line ()
  "Forgets what the user has typed but Lisp has not read."
  (do () ((not (si:rest-of-line-p)))
    (read-char *terminal-io* nil)))

(defun si:read-eval-print-loop ()
  "Reads forms from the standard input until it ends."
  (do ((ended nil) (good nil nil)) (ended)
    (catch 'si:top-level
      (setq ended (si:read-and-evaluate (if si:*interactive* si:*prompt* nil)))
      (setq good t))
    (unless good
      (si:forget-line)
      (si:shrink-stack))))

;;; Sessions. The host says what it wants on a device of its own: a property list, and
;;; then forms. A host that has no such device has a user.

(defvar *arguments* nil "Strings that the host has for the program.")
(defvar si:*request* nil "The property list.")
(defvar si:*request-stream* nil "The forms, or NIL.")
(declaim (si:global si:*request* si:*request-stream*))

(defun si:ask-host ()
  "Finds out what the host wants."
  (let ((number (si:open-device "/dev/geiko" 0)))
    (setq si:*request-stream*
          (if number
              (si:file-input-stream
               (si:make-file :name "/dev/geiko" :number number :page 0
                             :buffer (si:make-buffer) :next 0 :end 0))
              nil))
    (setq si:*request*
          (if number
              (read si:*request-stream*)
              '(:interactive t)))
    (setq *arguments* (getf si:*request* :arguments))
    (setq si:*interactive* (getf si:*request* :interactive))))

(defun si:resume ()
  "A saved image has been started: it goes on, or begins a session of its own."
  (setf (si:stream-column *terminal-io*) 0)
  (setf (si:stream-pushed *terminal-io*) nil)
  (unless si:*main*
    (si:ask-host)
    (unless (or (getf si:*request* :resume) (null si:*request-stream*))
      (throw 'si:session nil))))

(push 'si:resume si:*restart-hooks*)

(defun si:top-level ()
  "The program if there is no other one."
  (do () (nil)
    (catch 'si:session
      (si:ask-host)
      (cond ((getf si:*request* :serve) (si:serve-host 'si:done))
            ((getf si:*request* :forms) (si:evaluate-request))
            (t (si:read-eval-print-loop)))
      (si:quit 0))))

(defun si:evaluate-request ()
  "Evaluates the forms that the host has sent."
  (do ((form (read si:*request-stream* nil si:*nothing*)
             (read si:*request-stream* nil si:*nothing*)))
      ((eq form si:*nothing*))
    (if (getf si:*request* :print)
        (si:evaluate-and-print form)
        (si:eval-compiled form))))

;;; Files.

(defun load (source &key verbose print (if-does-not-exist :error))
  "Evaluates the forms of a file, or of a stream."
  (let ((stream (if (streamp source)
                    source
                    (open source :if-does-not-exist if-does-not-exist)))
        (*package* *package*))
    (if (null stream)
        nil
        (unwind-protect
             (do ((form (read stream nil si:*nothing*) (read stream nil si:*nothing*)))
                 ((eq form si:*nothing*) t)
               (let ((values (multiple-value-list (si:eval-compiled form))))
                 (when print
                   (format t "~&~{~S~%~}" values))))
          (unless (streamp source)
            (close stream))))))

;;; Information.

(defun documentation (name &optional (kind 'function))
  "What is said about a function or variable."
  (getf (get name 'si:documentation) kind))

(defun si:parameters (symbol)
  "The parameters of a function: as it was written, or their names, which stand in front
of the code."
  (let ((source (get symbol 'si:source)))
    (if source
        (cadr source)
        (let ((code (si:code-of (symbol-function symbol))))
          (si:pointer-at (si:add-words code (- (ash (si:word-at code 3) -1) 2)) 0)))))

(defun si:describe-symbol (symbol)
  (format t "~&~S is a symbol of ~A.~%" symbol (symbol-package symbol))
  (when (boundp symbol)
    (format t "  Its value is ~S.~%" (symbol-value symbol)))
  (cond ((special-operator-p symbol) (format t "  It is a special operator.~%"))
        ((macro-function symbol) (format t "  It is a macro.~%"))
        ((fboundp symbol)
         (format t "  It is a function of ~:[no arguments~;~:*~A~].~%"
                 (si:parameters symbol))))
  (dolist (kind '(function variable))
    (when (documentation symbol kind)
      (format t "  ~A~%" (documentation symbol kind)))))

(defun si:describe-structure (structure)
  (format t "~&~A~%" structure)
  (format t "It is a structure of type ~S.~%" (type-of structure))
  (do ((rest (si:structure-contents structure) (cddr rest)))
      ((null rest))
    (format t "  ~A: ~S~%" (car rest) (cadr rest))))

(defun describe (object)
  "Prints what is known of an object."
  (let ((*print-length* 10) (*print-level* 4))
    (cond ((symbolp object) (si:describe-symbol object))
          ((si:structurep object) (si:describe-structure object))
          (t
           (format t "~&~S is of type ~S.~%" object (type-of object))
           (when (and (vectorp object) (not (stringp object)))
             (format t "It has ~D elements of type ~S.~%"
                     (length object) (array-element-type object))))))
  (values))

(defun apropos-list (part &optional package)
  "The symbols whose names contain a string."
  (let ((part (string-upcase (string part)))
        (found nil))
    (dolist (package (if package (list (si:the-package package)) (list-all-packages)))
      (si:map-symbols #'(lambda (symbol)
                          (when (search part (string-upcase (symbol-name symbol)))
                            (push symbol found)))
                      package))
    (sort found #'string< :key #'symbol-name)))

(defun apropos (part &optional package)
  "Prints the symbols whose names contain a string."
  (dolist (symbol (apropos-list part package) (values))
    (format t "~&~S~:[~; function~]~:[~; variable~]~%"
            symbol (fboundp symbol) (boundp symbol))))

;;; Time.

(defun si:call-timed (function)
  "The values of a function; prints the time it takes."
  (let* ((real (get-internal-real-time))
         (run (get-internal-run-time))
         (values (multiple-value-list (funcall function)))
         (run (- (get-internal-run-time) run))
         (real (- (get-internal-real-time) real)))
    (format *trace-output* "~&~D ms, of which ~D ms of work.~%" real run)
    (values-list values)))

(defmacro time (form)
  "The values of the form; prints the time it takes."
  `(si:call-timed #'(lambda () ,form)))
