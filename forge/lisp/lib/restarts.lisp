;;;; Restarts: ways to go on that a program offers while its forms are evaluated, and
;;;; that handlers choose from.

(defstruct (restart (:constructor si:make-restart) (:copier nil))
  name
  (function nil)  ; what is called when it is chosen
  (report nil))   ; a string, or a function of a stream

(defvar si:*offered-restarts* nil "Those that can be chosen, the innermost first.")

(defun compute-restarts (&optional condition)
  "All restarts that can be chosen, the innermost first."
  (copy-list si:*offered-restarts*))

(defun find-restart (name &optional condition)
  "The innermost restart with that name, NIL if there is none."
  (if (restart-p name)
      (car (member name si:*offered-restarts*))
      (find name si:*offered-restarts* :key #'restart-name)))

(defun invoke-restart (restart &rest arguments)
  "Goes on in the way of a restart or of the innermost one with that name."
  (let ((found (find-restart restart)))
    (unless found
      (error 'control-error :format-control "There is no restart ~S."
                            :format-arguments (list restart)))
    (apply (restart-function found) arguments)))

(defmacro restart-bind (bindings &rest body)
  "Offers restarts, lists of a name and a function that is called, while the forms are
evaluated."
  `(let ((si:*offered-restarts*
          (list* ,@(mapcar #'(lambda (binding)
                               `(si:make-restart
                                 :name ',(car binding) :function ,(cadr binding)))
                           bindings)
                 si:*offered-restarts*)))
     ,@body))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun si:restart-options (clause)
    "The options of a clause of RESTART-CASE, and the forms behind them."
    (let ((options nil)
          (rest (cddr clause)))
      (do ()
          ((not (and (member (car rest) '(:report :interactive :test)) (cdr rest)))
           (cons options rest))
        (push (cons (car rest) (cadr rest)) options)
        (setq rest (cddr rest)))))

  (defun si:restart-report (clause)
    "A form for what a clause says of itself."
    (let ((report (cdr (assoc :report (car (si:restart-options clause))))))
      (if (or (null report) (stringp report))
          report
          (list 'function report)))))

(defmacro restart-case (form &rest clauses)
  "The values of the form, or if a restart of a clause, (NAME (PARAMETER...) FORM...), is
chosen, those of the clause. The forms can begin with :REPORT and a string or function."
  (let ((number -1))
    `(block si:done
       (let ((si:chosen
              (block si:chosen
                (return-from si:done
                  (let ((si:*offered-restarts*
                         (list* ,@(mapcar #'(lambda (clause)
                                              (setq number (+ number 1))
                                              `(si:make-restart
                                                :name ',(car clause)
                                                :report ,(si:restart-report clause)
                                                :function
                                                #'(lambda (&rest si:arguments)
                                                    (return-from si:chosen
                                                      (cons ,number si:arguments)))))
                                          clauses)
                                si:*offered-restarts*)))
                    ,form)))))
         (si:shrink-stack)
         (case (car si:chosen)
           ,@(progn
               (setq number -1)
               (mapcar #'(lambda (clause)
                           (setq number (+ number 1))
                           `(,number
                             (apply #'(lambda ,(cadr clause)
                                        ,@(cdr (si:restart-options clause)))
                                    (cdr si:chosen))))
                       clauses)))))))

(defmacro with-simple-restart (restart &rest body)
  "Evaluates the forms; the values are NIL and T if the restart, (NAME CONTROL
ARGUMENT...), is chosen."
  `(restart-case (progn ,@body)
     (,(car restart) ()
       :report (lambda (stream) (format stream ,@(cdr restart)))
       (values nil t))))

;;; The usual restarts.

(defun abort (&optional condition)
  "Gives up what is being done: the innermost restart ABORT, or all of it."
  (when (find-restart 'abort)
    (invoke-restart 'abort))
  (if si:*interactive*
      (throw 'si:top-level nil)
      (si:quit 1)))

(defun continue (&optional condition)
  "Goes on after an error that allows it."
  (when (find-restart 'continue)
    (invoke-restart 'continue)))

(defun muffle-warning (&optional condition)
  "Called by a handler: the warning is not printed."
  (invoke-restart 'muffle-warning))

(defun use-value (value &optional condition)
  "Goes on with another value, if somebody offers that."
  (when (find-restart 'use-value)
    (invoke-restart 'use-value value)))

(defun store-value (value &optional condition)
  "Goes on with another value that is stored, if somebody offers that."
  (when (find-restart 'store-value)
    (invoke-restart 'store-value value)))

(defun cerror (continue-control datum &rest arguments)
  "Signals an error after which a handler can go on with CONTINUE."
  (restart-case (apply #'error datum arguments)
    (continue ()
      :report (lambda (stream) (apply #'format stream continue-control arguments))
      nil)))

(defun warn (datum &rest arguments)
  "Signals a warning and prints it unless a handler muffles it."
  (let ((condition (si:coerce-to-condition datum arguments 'simple-warning)))
    (restart-case
        (progn
          (si:call-handlers condition)
          (format *error-output* "~&Warning: ~A~%" condition)
          nil)
      (muffle-warning () nil))))
