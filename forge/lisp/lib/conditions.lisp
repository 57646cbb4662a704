;;;; Conditions: structures that tell what has happened. Who cares has put handlers
;;;; for types of conditions on a stack; SIGNAL calls them, ERROR stops the program
;;;; if none of them leaves.

(defmacro define-condition (name parents slots &rest options)
  "Defines a type of conditions. The name of the argument that sets a slot is that of
the slot."
  (let ((report (assoc :report options)))
    `(progn
       (defstruct (,name (:include ,(if parents (car parents) 'condition))
                         (:constructor nil) (:copier nil))
         ,@(mapcar #'(lambda (slot) (if (consp slot) (car slot) slot)) slots))
       (si:set-get ',name 'si:initial-values
                   (list ,@(mapcar #'si:initial-value-form slots)))
       ,@(mapcan #'si:reader-definitions slots)
       ,@(if report
             `((si:set-get ',name 'si:report
                           ,(if (stringp (cadr report))
                                (cadr report)
                                `(function ,(cadr report))))))
       ',name)))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun si:initial-value-form (slot)
    "A form for the name of a slot and a function of its initial value."
    (if (and (consp slot) (member :initform (cdr slot)))
        `(cons ',(car slot)
               #'(lambda () ,(cadr (member :initform (cdr slot)))))
        nil))

  (defun si:reader-definitions (slot)
    "Functions for the :READER and :ACCESSOR of a slot."
    (if (consp slot)
        (let ((options (cdr slot))
              (definitions nil))
          (do () ((null options) definitions)
            (if (member (car options) '(:reader :accessor))
                (push `(defun ,(cadr options) (condition)
                         (si:slot condition ',(car slot)))
                      definitions))
            (setq options (cddr options))))
        nil)))

(defstruct (condition (:constructor nil) (:copier nil)))
(defstruct (serious-condition (:include condition) (:constructor nil) (:copier nil)))
(defstruct (error (:include serious-condition) (:constructor nil) (:copier nil)))
(defstruct (warning (:include condition) (:constructor nil) (:copier nil)))

(defstruct (simple-condition (:include condition) (:conc-name si:simple-)
                             (:constructor nil) (:copier nil))
  format-control format-arguments)
(define-condition simple-error (error)
  (format-control format-arguments))
(define-condition simple-warning (warning)
  (format-control format-arguments))

(define-condition type-error (error)
  (datum expected-type)
  (:report (lambda (condition stream)
             (format stream "~S is not of type ~S."
                     (type-error-datum condition)
                     (type-error-expected-type condition)))))

(define-condition arithmetic-error (error)
  (operation operands)
  (:report (lambda (condition stream)
             (format stream "~S cannot be calculated."
                     (cons (arithmetic-error-operation condition)
                           (arithmetic-error-operands condition))))))
(define-condition division-by-zero (arithmetic-error) ()
  (:report (lambda (condition stream)
             (format stream "Division of ~S by zero."
                     (car (arithmetic-error-operands condition))))))
(define-condition floating-point-overflow (arithmetic-error) ()
  (:report (lambda (condition stream)
             (format stream "The result of ~S is too large for a float."
                     (cons (arithmetic-error-operation condition)
                           (arithmetic-error-operands condition))))))

(define-condition cell-error (error)
  (name))
(define-condition unbound-variable (cell-error) ()
  (:report (lambda (condition stream)
             (format stream "The variable ~S has no value." (cell-error-name condition)))))
(define-condition undefined-function (cell-error) ()
  (:report (lambda (condition stream)
             (format stream "The function ~S is not defined." (cell-error-name condition)))))

(define-condition program-error (error)
  (format-control format-arguments))
(define-condition control-error (error)
  (format-control format-arguments))
(define-condition parse-error (error)
  (text)
  (:report (lambda (condition stream)
             (format stream "~S cannot be understood." (parse-error-text condition)))))
(define-condition stream-error (error)
  (stream))
(define-condition end-of-file (stream-error) ()
  (:report "The input ended too early."))
(define-condition reader-error (stream-error)
  (format-control format-arguments))
(define-condition file-error (error)
  (pathname
   reason)                              ; what the host says, if it is known
  (:report (lambda (condition stream)
             (format stream "The file ~A cannot be used~@[: ~A~]."
                     (file-error-pathname condition) (file-error-reason condition)))))

;;; Making and reporting.

(defun si:condition-type-p (object)
  (and (symbolp object)
       (si:structure-type-p object)
       (si:subtype-name-p object 'condition)))

(defun si:set-initial-values (condition type)
  "Gives the slots their initial values, those of the most general type first."
  (when type
    (si:set-initial-values condition (si:structure-parent type))
    (dolist (entry (get type 'si:initial-values))
      (when entry
        (si:set-slot condition (car entry) (funcall (cdr entry)))))))

(defun make-condition (type &rest arguments)
  "A condition; the arguments are names of slots as keywords, and values."
  (unless (si:condition-type-p type)
    (error "~S is not a type of conditions." type))
  (let ((condition (si:make-structure type)))
    (si:set-initial-values condition type)
    (do ((rest arguments (cddr rest)))
        ((null rest) condition)
      (si:set-slot condition (car rest) (cadr rest)))))

(defun si:coerce-to-condition (datum arguments type)
  "The condition that the arguments of ERROR and the like mean."
  (cond ((condition-p datum) datum)
        ((stringp datum)
         (make-condition type :format-control datum :format-arguments arguments))
        (t (apply #'make-condition datum arguments))))

(defun si:slot-or-nil (structure name)
  (let ((index (si:field-index name (type-of structure))))
    (if index (si:structure-ref structure index) nil)))

(defun simple-condition-format-control (condition)
  "The control string of the message."
  (si:slot-or-nil condition 'format-control))

(defun simple-condition-format-arguments (condition)
  "The arguments of the control string."
  (si:slot-or-nil condition 'format-arguments))

(defun si:report-condition (condition stream)
  "Prints what a condition says."
  (let ((control (simple-condition-format-control condition)))
    (if control
        (apply #'format stream control (simple-condition-format-arguments condition))
        (do ((type (type-of condition) (si:structure-parent type)))
            ((null type)
             (format stream "The condition ~S was signalled." (type-of condition)))
          (let ((report (get type 'si:report)))
            (when report
              (return (if (stringp report)
                          (write-string report stream)
                          (funcall report condition stream)))))))))

;;; Handlers.

(defvar *handlers* nil
  "Groups of handlers, the innermost first: lists of pairs of a type and a function.")

(defun si:call-handlers (condition)
  "Calls the handlers for a condition. While one runs only those outside its group are
in force."
  (do ((groups *handlers* (cdr groups)))
      ((null groups) nil)
    (dolist (entry (car groups))
      (when (typep condition (car entry))
        (let ((*handlers* (cdr groups)))
          (funcall (cdr entry) condition))))))

(defun signal (datum &rest arguments)
  "Calls the handlers for a condition; NIL if all of them return."
  (si:call-handlers (si:coerce-to-condition datum arguments 'simple-condition)))

(defun error (datum &rest arguments)
  "Signals an error. The program does not go on after it."
  (let ((condition (si:coerce-to-condition datum arguments 'simple-error)))
    (si:call-handlers condition)
    (si:unhandled condition)))

(defmacro handler-bind (bindings &rest body)
  "Puts handlers, pairs of a type and a function, in force for the forms."
  `(let ((*handlers*
          (cons (list ,@(mapcar #'(lambda (binding)
                                    `(cons ',(car binding) ,(cadr binding)))
                                bindings))
                *handlers*)))
     ,@body))

(defmacro handler-case (form &rest clauses)
  "The values of the form, or if it signals a condition with a clause, (TYPE (VARIABLE)
FORM...), those of the clause. The clause (:NO-ERROR (VARIABLE...) FORM...) gets the
values of the form."
  (let ((no-error (assoc :no-error clauses))
        (number -1))
    (if no-error
        `(block si:error-return
           (multiple-value-call #'(lambda ,@(cdr no-error))
             (block si:normal-return
               (return-from si:error-return
                 (handler-case (return-from si:normal-return ,form)
                   ,@(remove no-error clauses))))))
        `(block si:done
           (let ((si:signalled
                  (block si:signalled
                    (return-from si:done
                      (handler-bind
                          ,(mapcar #'(lambda (clause)
                                       (setq number (+ number 1))
                                       `(,(car clause)
                                         #'(lambda (si:condition)
                                             (return-from si:signalled
                                               (cons ,number si:condition)))))
                                   clauses)
                        ,form)))))
             (si:shrink-stack)
             (case (car si:signalled)
               ,@(progn
                   (setq number -1)
                   (mapcar #'(lambda (clause)
                               (setq number (+ number 1))
                               `(,number
                                 ,(if (cadr clause)
                                      `(let ((,(car (cadr clause)) (cdr si:signalled)))
                                         ,@(cddr clause))
                                      `(progn ,@(cddr clause)))))
                           clauses))))))))

(defmacro ignore-errors (&rest forms)
  "The values of the forms, or NIL and the condition if there is an error."
  `(handler-case (progn ,@forms)
     (error (condition) (values nil condition))))

(defmacro assert (form &optional places datum &rest arguments)
  "Signals an error unless the form is true."
  `(unless ,form
     ,(if datum
          `(error ,datum ,@arguments)
          `(error "The assertion ~S failed." ',form))))

(defmacro check-type (place type &optional description)
  "Signals an error unless the value of a place is of a type."
  `(unless (typep ,place ',type)
     (si:wrong-type ,place ',type)))

;;; Errors that the machine and the kernel find.

(defun si:public-name (symbol)
  "The symbol of the user with the name of one that the machine knows."
  (if (symbolp symbol)
      (or (find-symbol (symbol-name symbol) "LISP") symbol)
      symbol))

(defun si:wrong-type (object type)
  (error 'type-error :datum object :expected-type (si:public-name type)))

(defun si:no-catch (tag)
  (error 'control-error :format-control "Nothing catches ~S." :format-arguments (list tag)))

(defun si:unbound-variable (symbol)
  (error 'unbound-variable :name symbol))

(defun si:argument-error (least most)
  "A function got fewer arguments than LEAST or more than MOST, which may be NIL."
  (error 'program-error
         :format-control
         (cond ((null most) "At least ~D argument~:P must be given.")
               ((eql least most) "Exactly ~D argument~:P must be given.")
               (t "From ~D to ~D arguments must be given."))
         :format-arguments (list least most)))

(defun si:apply-uncompiled (function arguments)
  "A call of what is not a compiled function."
  (error 'undefined-function :name function))
