;;;; The special forms of the evaluator: functions of the operands, the scope and the
;;;; exits to which the form can be left.

;;; Constants and variables.

(defun si:convert-quote (operands scope tail)
  (si:convert-constant (car operands)))

(defun si:convert-setq (operands scope tail)
  (let ((forms nil))
    (do () ((null operands))
      (let ((macro (si:symbol-macro (car operands) scope)))
        (push (if macro
                  (si:convert `(setf ,(cddr macro) ,(cadr operands)) scope nil)
                  (si:convert-assignment (car operands) (cadr operands) scope))
              forms))
      (setq operands (cddr operands)))
    (setq forms (nreverse forms))
    (if (and forms (null (cdr forms)))
        (car forms)
        #'(lambda (environment)
            (let ((value nil))
              (dolist (form forms value)
                (setq value (funcall form environment))))))))

(defun si:convert-assignment (symbol form scope)
  (let ((index (si:variable-index symbol scope))
        (form (si:convert form scope nil)))
    (case index
      ((nil)
       (when (or (null symbol) (eq symbol t) (keywordp symbol))
         (error "The constant ~S cannot be set." symbol))
       #'(lambda (environment) (set symbol (funcall form environment))))
      (0 #'(lambda (environment) (si:set-car environment (funcall form environment))))
      (t
       #'(lambda (environment)
           (si:set-car (nthcdr index environment) (funcall form environment)))))))

;;; Bindings.

(defun si:binding-name (binding)
  (if (consp binding) (car binding) binding))

(defun si:binding-form (binding)
  (if (consp binding) (cadr binding) nil))

(defun si:convert-let (operands scope tail)
  (let* ((bindings (car operands))
         (parts (si:split-body (cdr operands)))
         (declared (si:declared-specials (car parts)))
         (names (mapcar #'si:binding-name bindings))
         (forms (si:convert-all (mapcar #'si:binding-form bindings) scope))
         (special (remove-if-not #'(lambda (name)
                                     (or (si:special-p name) (member name declared)))
                                 names)))
    (if special
        (si:convert-special-let names forms special declared (cdr parts) scope tail)
        (let ((body (si:convert-body (cdr parts)
                                     (si:with-specials declared (revappend names scope))
                                     tail))
              (form (car forms)))
          (if (and forms (null (cdr forms)))
              #'(lambda (environment)
                  (funcall body (cons (funcall form environment) environment)))
              #'(lambda (environment)
                  (let ((new environment))
                    (dolist (form forms)
                      (setq new (cons (funcall form environment) new)))
                    (funcall body new))))))))

(defun si:convert-special-let (names forms special declared body scope tail)
  "A LET some of whose variables are special: these are bound to the values in the
environment, which have no names there."
  (let* ((hidden (mapcar #'(lambda (name)
                             (if (member name special) (list :hidden) name))
                         names))
         (inner (revappend hidden scope))
         (body (si:convert-body body (si:with-specials (append special declared) inner) tail))
         (count (length names))
         (indices (mapcar #'(lambda (name) (- count 1 (position name names))) special)))
    #'(lambda (environment)
        (let ((new environment))
          (dolist (form forms)
            (setq new (cons (funcall form environment) new)))
          (progv special (mapcar #'(lambda (index) (nth index new)) indices)
            (funcall body new))))))

(defun si:convert-let* (operands scope tail)
  (let ((bindings (car operands)))
    (if (or (null bindings) (null (cdr bindings)))
        (si:convert-let operands scope tail)
        (let* ((parts (si:split-body (cdr operands)))
               (name (si:binding-name (car bindings)))
               (declared (si:declared-specials (car parts))))
          (if (or (member name declared) (si:special-p name))
              (si:convert-let `((,(car bindings))
                                ,@(if (member name declared) `((declare (special ,name))))
                                (let* ,(cdr bindings) ,@(cdr operands)))
                              scope tail)
              (let ((form (si:convert (si:binding-form (car bindings)) scope nil))
                    (body (si:convert-let* (cons (cdr bindings) (cdr operands))
                                           (cons name scope) tail)))
                #'(lambda (environment)
                    (funcall body (cons (funcall form environment) environment)))))))))

(defun si:convert-progv (operands scope tail)
  (let ((symbols (si:convert (car operands) scope nil))
        (values (si:convert (cadr operands) scope nil))
        (body (si:convert-body (cddr operands) scope tail)))
    #'(lambda (environment)
        (progv (funcall symbols environment) (funcall values environment)
          (funcall body environment)))))

(defun si:convert-locally (operands scope tail)
  (let ((parts (si:split-body operands)))
    (si:convert-body (cdr parts)
                     (si:with-specials (si:declared-specials (car parts)) scope)
                     tail)))

;;; Order.

(defun si:convert-progn (operands scope tail)
  (si:convert-body operands scope tail))

(defun si:convert-if (operands scope tail)
  (let ((test (si:convert (car operands) scope nil))
        (then (si:convert (cadr operands) scope tail))
        (else (si:convert (caddr operands) scope tail)))
    #'(lambda (environment)
        (if (funcall test environment)
            (funcall then environment)
            (funcall else environment)))))

(defun si:convert-the (operands scope tail)
  (si:convert (cadr operands) scope tail))

(defun si:evaluated-now-p (situations)
  (some #'(lambda (situation) (member situation '(:execute eval))) situations))

(defun si:convert-eval-when (operands scope tail)
  (if (si:evaluated-now-p (car operands))
      (si:convert-body (cdr operands) scope tail)
      (si:convert-constant nil)))

;;; Exits.

(defun si:convert-block (operands scope tail)
  (let* ((exit (si:make-exit :name (list (car operands))))
         (body (si:convert-body (cdr operands) (cons exit scope) (cons exit tail)))
         (inner (if (si:exit-thrown exit)
                    #'(lambda (environment)
                        (let ((tag (list nil)))
                          (catch tag (funcall body (cons tag environment)))))
                    #'(lambda (environment)
                        (funcall body (cons nil environment))))))
    (if (si:exit-left exit)
        #'(lambda (environment)
            (let ((values (multiple-value-list (funcall inner environment))))
              (values-list (if (and (eq (car values) si:*leaving*) (eq si:*exit* exit))
                               si:*exit-value*
                               values))))
        inner)))

(defun si:convert-return-from (operands scope tail)
  (let ((form (si:convert (cadr operands) scope nil))
        (name (car operands)))
    (multiple-value-bind (exit index)
        (si:exit-place #'(lambda (exit)
                           (and (si:exit-name exit) (eq (car (si:exit-name exit)) name)))
                       scope)
      (cond ((null exit) (error "There is no block ~S around RETURN-FROM." name))
            ((member exit tail)
             (setf (si:exit-left exit) t)
             (setq si:*leave-count* (+ si:*leave-count* 1))
             #'(lambda (environment)
                 (si:leave exit (multiple-value-list (funcall form environment)))))
            (t
             (setf (si:exit-thrown exit) t)
             #'(lambda (environment)
                 (throw (nth index environment) (funcall form environment))))))))

(defun si:convert-tagbody (operands scope tail)
  (let* ((tags (remove-if #'consp operands))
         (labels (mapcar #'list tags))
         (exit (si:make-exit :labels labels))
         (scope (cons exit scope))
         (tail (cons exit tail))
         (statements nil)
         (marks nil))
    (dolist (operand operands)
      (if (consp operand)
          (push (si:convert operand scope tail) statements)
          (push (cons operand (length statements)) marks)))
    (setq statements (nreverse statements))
    (dolist (label labels)
      (rplacd label (nthcdr (cdr (assoc (car label) marks)) statements)))
    (if (si:exit-thrown exit)
        #'(lambda (environment)
            (let* ((tag (list nil))
                   (new (cons tag environment))
                   (rest statements))
              (do () (nil)
                (let ((result (catch tag (si:run-statements rest exit new))))
                  ;; A label was thrown, else this is the end.
                  (if (member result labels)
                      (setq rest (cdr result))
                      (return result))))))
        #'(lambda (environment)
            (si:run-statements statements exit (cons nil environment))))))

(defun si:run-statements (statements exit environment)
  "NIL at the end, or the mark for another exit."
  (do () ((null statements) nil)
    (if (eq (funcall (car statements) environment) si:*leaving*)
        (if (eq si:*exit* exit)
            (setq statements (cdr si:*exit-value*))
            (return si:*leaving*))
        (setq statements (cdr statements)))))

(defun si:convert-go (operands scope tail)
  (let ((tag (car operands)))
    (multiple-value-bind (exit index)
        (si:exit-place #'(lambda (exit) (assoc tag (si:exit-labels exit))) scope)
      (unless exit
        (error "There is no tag ~S around GO." tag))
      (let ((label (assoc tag (si:exit-labels exit))))
        (cond ((member exit tail)
               (setq si:*leave-count* (+ si:*leave-count* 1))
               #'(lambda (environment) (si:leave exit label)))
              (t
               (setf (si:exit-thrown exit) t)
               #'(lambda (environment) (throw (nth index environment) label))))))))

(defun si:convert-catch (operands scope tail)
  (let ((tag (si:convert (car operands) scope nil))
        (body (si:convert-body (cdr operands) scope tail)))
    #'(lambda (environment)
        (catch (funcall tag environment) (funcall body environment)))))

(defun si:convert-throw (operands scope tail)
  (let ((tag (si:convert (car operands) scope nil))
        (form (si:convert (cadr operands) scope nil)))
    #'(lambda (environment)
        (throw (funcall tag environment) (funcall form environment)))))

(defun si:convert-unwind-protect (operands scope tail)
  (let ((form (si:convert (car operands) scope nil))
        (cleanup (si:convert-body (cdr operands) scope nil)))
    #'(lambda (environment)
        (unwind-protect (funcall form environment)
          (funcall cleanup environment)))))

;;; Multiple values.

(defun si:convert-multiple-value-call (operands scope tail)
  (let ((function (si:convert (car operands) scope nil))
        (forms (si:convert-all (cdr operands) scope)))
    #'(lambda (environment)
        (let ((function (funcall function environment))
              (values nil))
          (dolist (form forms)
            (setq values (append values
                                 (multiple-value-list (funcall form environment)))))
          (apply function values)))))

(defun si:convert-multiple-value-list (operands scope tail)
  (let ((form (si:convert (car operands) scope nil)))
    #'(lambda (environment)
        (multiple-value-list (funcall form environment)))))

(defun si:convert-multiple-value-prog1 (operands scope tail)
  (let ((first (si:convert (car operands) scope nil))
        (rest (si:convert-body (cdr operands) scope nil)))
    #'(lambda (environment)
        (let ((values (multiple-value-list (funcall first environment))))
          (funcall rest environment)
          (values-list values)))))

;;; Functions.

(defun si:convert-function (operands scope tail)
  (let ((name (car operands)))
    (if (consp name)
        (let ((function (si:convert-lambda nil (cadr name) (cddr name) scope)))
          #'(lambda (environment) (si:close-over function environment)))
        (multiple-value-bind (entry index) (si:local-function name scope)
          (if entry
              (si:local-reference index)
              #'(lambda (environment) (symbol-function name)))))))

(defun si:convert-lambda-form (operands scope tail)
  (si:convert-function (list (cons 'lambda operands)) scope tail))

(defun si:body-in-block (name body)
  "A body with a block around its forms."
  (let ((parts (si:split-body body)))
    (append (car parts) `((block ,name ,@(cdr parts))))))

(defun si:convert-definitions (definitions scope)
  "The interpreted functions of FLET and LABELS."
  (mapcar #'(lambda (definition)
              (si:convert-lambda (car definition) (cadr definition)
                                 (si:body-in-block (car definition) (cddr definition))
                                 scope))
          definitions))

(defun si:function-scope (definitions scope)
  (dolist (definition definitions scope)
    (push (cons :function (car definition)) scope)))

(defun si:convert-flet (operands scope tail)
  (let* ((functions (si:convert-definitions (car operands) scope))
         (body (si:convert-locally (cdr operands)
                                   (si:function-scope (car operands) scope) tail)))
    #'(lambda (environment)
        (let ((new environment))
          (dolist (function functions)
            (setq new (cons (si:close-over function environment) new)))
          (funcall body new)))))

(defun si:convert-labels (operands scope tail)
  (let* ((scope (si:function-scope (car operands) scope))
         (functions (reverse (si:convert-definitions (car operands) scope)))
         (body (si:convert-locally (cdr operands) scope tail)))
    #'(lambda (environment)
        (let ((new environment))
          (dolist (function functions)
            (setq new (cons nil new)))
          (let ((cell new))
            (dolist (function functions)
              (rplaca cell (si:close-over function new))
              (setq cell (cdr cell))))
          (funcall body new)))))

(defun si:macro-scope (definitions scope)
  "The scope of MACROLET."
  (dolist (definition definitions scope)
    (push (cons :macro
                (cons (car definition)
                      (eval (si:parse-macro (car definition) (cadr definition)
                                            (cddr definition)))))
          scope)))

(defun si:symbol-macro-scope (bindings scope)
  "The scope of SYMBOL-MACROLET."
  (dolist (binding bindings scope)
    (push (list* :symbol-macro (car binding) (cadr binding)) scope)))

(defun si:convert-macrolet (operands scope tail)
  (si:convert-locally (cdr operands) (si:macro-scope (car operands) scope) tail))

(defun si:convert-symbol-macrolet (operands scope tail)
  (si:convert-locally (cdr operands) (si:symbol-macro-scope (car operands) scope) tail))

;;; Definitions.

(defun si:body-documentation (body)
  "The string in front of the forms of a body, NIL if there is none."
  (if (and (stringp (car body)) (cdr body)) (car body) nil))

(defun si:set-documentation (name kind text)
  (when text
    (si:set-get name 'si:documentation
                (si:store-property (get name 'si:documentation) kind text))))

(defun si:closed-p (scope)
  "Whether no values of an environment are in scope, so that a function can be compiled
that does not know it."
  (every #'(lambda (entry)
             (and (consp entry) (member (car entry) '(:macro :symbol-macro))))
         scope))

(defun si:convert-definition (name lambda scope)
  "The function of a definition: compiled if that is possible, else interpreted."
  (if (si:closed-p scope)
      #'(lambda (environment) (si:make-function name lambda scope))
      (let ((function (si:convert-lambda name (cadr lambda) (cddr lambda) scope)))
        #'(lambda (environment) (si:close-over function environment)))))

(defun si:convert-defun (operands scope tail)
  (let* ((name (car operands))
         (body (cddr operands))
         (lambda (list* 'lambda (cadr operands) (si:body-in-block name body)))
         (function (si:convert-definition name lambda scope)))
    (unless (symbolp name)
      (error "~S is not a name of a function." name))
    #'(lambda (environment)
        (remprop name 'si:macro-function)
        (si:set-documentation name 'function (si:body-documentation body))
        (si:set-get name 'si:source (if (si:closed-p scope) lambda nil))
        (si:define-function name (funcall function environment))
        name)))

(defun si:convert-defmacro (operands scope tail)
  (let* ((name (car operands))
         (expander (si:parse-macro name (cadr operands) (cddr operands)))
         (function (si:convert-definition name expander scope)))
    #'(lambda (environment)
        (si:set-documentation name 'function (si:body-documentation (cddr operands)))
        (si:set-macro-function name (funcall function environment))
        name)))

(defun si:convert-defvar (operands scope tail)
  (let* ((name (car operands))
         (form (if (cdr operands) (si:convert (cadr operands) scope nil) nil)))
    (si:set-get name 'si:special t)
    #'(lambda (environment)
        (si:set-documentation name 'variable (caddr operands))
        (when (and form (not (boundp name)))
          (set name (funcall form environment)))
        name)))

(defun si:convert-defparameter (operands scope tail)
  (let* ((name (car operands))
         (form (si:convert (cadr operands) scope nil)))
    (si:set-get name 'si:special t)
    #'(lambda (environment)
        (si:set-documentation name 'variable (caddr operands))
        (set name (funcall form environment))
        name)))

(defun si:convert-defstruct (operands scope tail)
  (si:convert (si:expand-defstruct (car operands) (cdr operands)) scope tail))

(defun proclaim (declaration)
  "Makes a declaration for all of the program."
  (when (eq (car declaration) 'special)
    (dolist (name (cdr declaration))
      (si:set-get name 'si:special t)))
  nil)

(defun si:convert-declaim (operands scope tail)
  (dolist (declaration operands)
    (proclaim declaration))
  (si:convert-constant nil))

(defun si:convert-in-package (operands scope tail)
  (let ((package (si:the-package (car operands))))
    #'(lambda (environment) (setq *package* package))))

(defun si:convert-declare (operands scope tail)
  (si:convert-constant nil))

(dolist (entry '((quote . si:convert-quote) (function . si:convert-function)
                 (lambda . si:convert-lambda-form) (if . si:convert-if)
                 (progn . si:convert-progn) (let . si:convert-let)
                 (let* . si:convert-let*) (setq . si:convert-setq)
                 (block . si:convert-block) (return-from . si:convert-return-from)
                 (tagbody . si:convert-tagbody) (go . si:convert-go)
                 (catch . si:convert-catch) (throw . si:convert-throw)
                 (unwind-protect . si:convert-unwind-protect)
                 (multiple-value-call . si:convert-multiple-value-call)
                 (multiple-value-list . si:convert-multiple-value-list)
                 (multiple-value-prog1 . si:convert-multiple-value-prog1)
                 (the . si:convert-the) (locally . si:convert-locally)
                 (flet . si:convert-flet) (labels . si:convert-labels)
                 (macrolet . si:convert-macrolet)
                 (symbol-macrolet . si:convert-symbol-macrolet) (eval-when . si:convert-eval-when)
                 (progv . si:convert-progv) (declare . si:convert-declare)
                 (defun . si:convert-defun) (defmacro . si:convert-defmacro)
                 (defvar . si:convert-defvar) (defparameter . si:convert-defparameter)
                 (defconstant . si:convert-defparameter)
                 (defstruct . si:convert-defstruct) (declaim . si:convert-declaim)
                 (in-package . si:convert-in-package)))
  (si:set-get (car entry) 'si:special-form (cdr entry)))
