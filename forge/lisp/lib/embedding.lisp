;;;; Lisp inside another program (src/embed/).
;;;;
;;;; Lisp and its host take turns. Lisp hands over by ending the session, which the host
;;;; then continues; before, each leaves in variables what it wants of the other one:
;;;;
;;;;   Lisp hands over with an event: DONE, what the host asked for is done;
;;;;                                  CALL, Lisp calls a function of the host
;;;;   the host continues with an order: CALL, apply a function to arguments;
;;;;                                     RETURN, go on, with the values of the call
;;;;
;;;; While a function of the host runs it may ask for calls, in which Lisp may call the
;;;; host again, and so on. Every such call of the host is a level. When Lisp throws out
;;;; of levels the host sees it by the level of the next event.

(defvar si:*host-event* nil "What Lisp hands over for.")
(defvar si:*host-event-level* 0 "The level that Lisp hands over in.")
(defvar si:*host-order* nil "What the host wants.")
(defvar si:*host-function* nil "The function to call; in an event, the number of the host's.")
(defvar si:*host-arguments* nil "A list.")
(defvar si:*host-values* nil "The list of values of the last call, in either direction.")
(defvar si:*host-failure* nil "What was wrong with that call, a string, or NIL.")
(declaim (si:global si:*host-event* si:*host-event-level* si:*host-order*
                    si:*host-function* si:*host-arguments* si:*host-values*
                    si:*host-failure*))

(defvar si:*host-level* 0 "How many functions of the host are being called.")

(defun si:hand-over (event)
  (setq si:*host-event-level* si:*host-level*)
  (setq si:*host-event* event)
  (si:console-flush)
  (opcodes (subrcall 13 2) nil 0))

(defun si:serve-host (event)
  "Hands over to the host and does what it asks for until it lets Lisp go on."
  (let ((si:*host-level* (+ si:*host-level* 1)))
    (si:hand-over event)
    (do () ((eq si:*host-order* 'si:return))
      (si:obey-host)
      (si:hand-over 'si:done))))

(defun si:obey-host ()
  "Calls the function that the host wants to be called."
  (let ((values nil) (failure nil))
    (handler-case
        (setq values
              (multiple-value-list (apply si:*host-function* si:*host-arguments*)))
      (error (condition) (setq failure (princ-to-string condition))))
    (setq si:*host-values* values)
    (setq si:*host-failure* failure)
    ;; Nothing is kept alive for the host but what it asked for.
    (setq si:*host-function* nil)
    (setq si:*host-arguments* nil)))

(defun si:call-host (number arguments)
  "Calls a function of the host; its values."
  (setq si:*host-function* number)
  (setq si:*host-arguments* arguments)
  (si:serve-host 'si:call)
  (let ((failure si:*host-failure*) (values si:*host-values*))
    (setq si:*host-failure* nil)
    (setq si:*host-values* nil)
    (if failure
        (error "~A" failure)
        (values-list values))))

;;; What the host has called for its own ends.

(defun si:define-host-function (name number)
  (setf (symbol-function name)
        #'(lambda (&rest arguments) (si:call-host number arguments)))
  name)

(defun si:evaluate-text (text)
  "The values of the last form."
  (let ((values nil))
    (with-input-from-string (forms text)
      (do ((form (read forms nil si:*nothing*) (read forms nil si:*nothing*)))
          ((eq form si:*nothing*))
        (setq values (multiple-value-list (si:eval-compiled form)))))
    (values-list values)))

(defun si:make-host-string (length wide)
  "A string that the host fills."
  (si:make-array-of length (if wide 68 67)))

(defun si:integer-of-parts (high middle low)
  "The integer of 64 bits, the lower two parts of 24 bits each."
  (+ (ash high 48) (ash middle 24) low))

(defun si:integer-parts (integer)
  "The three parts of an integer of 64 bits, NIL for a larger one."
  (if (<= (integer-length integer) 63)
      (list (ash integer -48) (logand (ash integer -24) #xFFFFFF) (logand integer #xFFFFFF))
      nil))
