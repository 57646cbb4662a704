;;;; TRACE: calls of functions and their values, as they happen.

(defvar si:*traced* nil "Names of functions, their definitions and those that tell.")
(defvar si:*trace-depth* 0 "How many calls that are traced are at work.")
(declaim (si:global si:*traced*))

(defun si:trace-line (control &rest arguments)
  (format *trace-output* "~&~VT~D: " (* 2 (+ si:*trace-depth* 1)) si:*trace-depth*)
  (let ((*print-length* 10) (*print-level* 4))
    (apply #'format *trace-output* control arguments)
    (terpri *trace-output*)))

(defun si:tracing-function (name function)
  "A function that does the same and tells of it."
  #'(lambda (&rest arguments)
      (si:trace-line "~S" (cons name arguments))
      (let ((values (let ((si:*trace-depth* (+ si:*trace-depth* 1)))
                      (multiple-value-list (apply function arguments)))))
        (si:trace-line "~S returned~{ ~S~}" name values)
        (values-list values))))

(defun si:trace-function (name)
  (si:untrace-function name)
  (when (or (macro-function name) (special-operator-p name))
    (error "~S is not a function." name))
  (let* ((function (symbol-function name))
         (tracing (si:tracing-function name function)))
    (push (list name function tracing) si:*traced*)
    (si:define-function name tracing)
    name))

(defun si:untrace-function (name)
  "A function that was defined anew stays as it is."
  (let ((entry (assoc name si:*traced*)))
    (when entry
      (setq si:*traced* (remove entry si:*traced*))
      (when (eq (si:symbol-definition name) (caddr entry))
        (si:define-function name (cadr entry))))
    name))

(defmacro trace (&rest names)
  "Has calls of these functions and their values printed; without names, which functions
are traced."
  (if names
      `(mapcar #'si:trace-function ',names)
      '(mapcar #'car si:*traced*)))

(defmacro untrace (&rest names)
  "Ends the tracing of these functions, or of all."
  `(mapcar #'si:untrace-function
           ,(if names `',names '(mapcar #'car si:*traced*))))
