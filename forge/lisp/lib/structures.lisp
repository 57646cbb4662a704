;;;; Structures as data, whatever their type: their fields are numbered from 0, those
;;;; of the included type first.

(defun si:field-index (name type)
  "The number of a field by its name, NIL if there is none."
  (position name (si:structure-fields type) :test #'string=))

(defun si:slot (structure name)
  "The value of a field by its name."
  (let ((index (si:field-index name (type-of structure))))
    (unless index
      (error "There is no field ~A in ~S." name structure))
    (si:structure-ref structure index)))

(defun si:set-slot (structure name value)
  (let ((index (si:field-index name (type-of structure))))
    (unless index
      (error "There is no field ~A in ~S." name structure))
    (si:structure-set structure index value)))

(defun copy-structure (structure)
  "A new structure with the same values in its fields."
  (let* ((type (type-of structure))
         (copy (si:make-structure type)))
    (dotimes (index (length (si:structure-fields type)) copy)
      (si:structure-set copy index (si:structure-ref structure index)))))

;;; Definition at run time: what DEFSTRUCT means to the evaluator.

(defun si:struct-option (name options)
  "An option as a list, whether it was written as a list or as a name; NIL if it is
missing."
  (dolist (option options nil)
    (cond ((eq option name) (return (list name)))
          ((and (consp option) (eq (car option) name)) (return option)))))

(defun si:join-names (&rest parts)
  "The symbol of a name made of parts."
  (intern (apply #'string-append parts)))

(defun si:field-name (field)
  (if (consp field) (car field) field))

(defun si:field-default (field)
  (if (consp field) (cadr field) nil))

(defun si:inherited-fields (parent)
  "The fields of a type with the initial values it was defined with."
  (if parent
      (or (get parent 'si:structure-defaults)
          (si:structure-fields parent))
      nil))

(defun si:expand-defstruct (name-and-options fields)
  "The forms that a definition of a structure type stands for."
  (let* ((name (if (consp name-and-options) (car name-and-options) name-and-options))
         (options (if (consp name-and-options) (cdr name-and-options) nil))
         (include (si:struct-option :include options))
         (conc-option (si:struct-option :conc-name options))
         (prefix (cond ((null conc-option) (string-append name "-"))
                       ((cadr conc-option) (string (cadr conc-option)))
                       (t "")))
         (predicate (si:struct-option :predicate options))
         (copier (si:struct-option :copier options))
         (fields (append (si:inherited-fields (cadr include))
                         (if (stringp (car fields)) (cdr fields) fields)))
         (names (mapcar #'si:field-name fields)))
    `(progn
       (si:define-structure ',name ',(cadr include) ',names)
       (si:set-get ',name 'si:structure-defaults ',fields)
       ,@(si:constructor-definitions name options fields names)
       ,@(si:accessor-definitions name prefix names)
       ,@(if (or (null predicate) (cadr predicate))
             `((defun ,(or (cadr predicate) (si:join-names name "-P")) (si:object)
                 (si:instance-p si:object ',name))))
       ,@(if (or (null copier) (cadr copier))
             `((defun ,(or (cadr copier) (si:join-names "COPY-" name)) (si:object)
                 (copy-structure si:object))))
       ',name)))

(defun si:constructor-definitions (name options fields names)
  "One function for each :CONSTRUCTOR, or the usual one."
  (let ((wanted (remove-if-not #'(lambda (option)
                                   (or (eq option :constructor)
                                       (and (consp option)
                                            (eq (car option) :constructor))))
                               options))
        (usual (si:join-names "MAKE-" name)))
    (mapcan #'(lambda (option)
                (let ((constructor (cond ((atom option) usual)
                                         ((cdr option) (cadr option))
                                         (t usual))))
                  (if constructor
                      (list (si:constructor-definition
                             name constructor fields names
                             (if (and (consp option) (cddr option))
                                 (caddr option)
                                 (cons '&key fields))))
                      nil)))
            (or wanted '(:constructor)))))

(defun si:lambda-list-names (lambda-list)
  "The variables of a lambda list."
  (let ((names nil))
    (dolist (item lambda-list (nreverse names))
      (unless (member item '(&optional &rest &key &aux &allow-other-keys &body))
        (let ((name (if (consp item) (car item) item)))
          (push (if (consp name) (cadr name) name) names))))))

(defun si:constructor-definition (name constructor fields names lambda-list)
  (let ((given (si:lambda-list-names lambda-list)))
    `(defun ,constructor ,lambda-list
       (si:make-structure-of ',name
                             (list ,@(mapcar #'(lambda (field name)
                                                 (if (member name given)
                                                     name
                                                     (si:field-default field)))
                                             fields names))))))

(defun si:make-structure-of (type values)
  "A new structure with these values in its fields."
  (let ((structure (si:make-structure type))
        (index 0))
    (dolist (value values structure)
      (si:structure-set structure index value)
      (setq index (+ index 1)))))

(defun si:instance-p (object type)
  "Whether it is a structure of the type or one that includes it."
  (and (si:structurep object)
       (si:subtype-name-p (si:structure-name object) type)))

(defun si:check-instance (object type)
  (unless (si:instance-p object type)
    (si:wrong-type object type)))

(defun si:accessor-definitions (name prefix names)
  (let ((index -1))
    (mapcan #'(lambda (field)
                (setq index (+ index 1))
                (let* ((accessor (si:join-names prefix field))
                       (setter (si:join-names "SET-" prefix field)))
                  `((defun ,accessor (si:object)
                      (si:check-instance si:object ',name)
                      (si:structure-ref si:object ,index))
                    (defun ,setter (si:object si:value)
                      (si:check-instance si:object ',name)
                      (si:structure-set si:object ,index si:value))
                    (si:set-get ',accessor 'si:setf-function ',setter))))
            names)))
