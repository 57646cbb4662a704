;;;; Symbols and packages. The linker makes the packages and the symbols of the
;;;; program; the symbols that come later are in hash tables.

(defstruct (package (:conc-name package-) (:constructor nil))
  index tables name name-symbol nicknames use-list used-by-list external-only
  internal-symbols external-symbols shadowing-symbols)

(defconstant si:+keyword-index+ 3)

(declaim (si:global il:*package-from-index*))

;;; Packages. What TABLES holds is the hash table of later symbols.

(defun list-all-packages ()
  "All packages."
  (let ((packages nil))
    (dotimes (index (length il:*package-from-index*) (nreverse packages))
      (when (svref il:*package-from-index* index)
        (push (svref il:*package-from-index* index) packages)))))

(defun find-package (name)
  "The package with that name, NIL if there is none."
  (if (packagep name)
      name
      (let ((name (string name)))
        (find-if #'(lambda (package)
                     (or (string= name (package-name package))
                         (member name (package-nicknames package) :test #'string=)))
                 (list-all-packages)))))

(defun packagep (object)
  "Whether it is a package."
  (package-p object))

(defvar *package* (find-package "LISP")
  "The package of names that are read.")

(defun si:the-package (designator)
  (or (find-package designator)
      (error "There is no package ~A." designator)))

(defun si:later-symbols (package)
  "The table of the symbols that the linker did not make."
  (or (package-tables package)
      (setf (package-tables package) (make-hash-table :test 'equal :size 64))))

;;; Symbols by name.

(defun si:find-present-symbol (name package)
  "The symbol as a list of one, NIL if there is none."
  (let ((linked (si:find-linked-symbol name package)))
    (cond (linked)
          ((package-tables package)
           (multiple-value-bind (symbol found) (gethash name (package-tables package))
             (if found (list symbol) nil)))
          (t nil))))

(defun find-symbol (name &optional (package *package*))
  "The symbol with that name, and where it was found, NIL if there is none. All packages
but that of keywords use LISP."
  (let* ((package (si:the-package package))
         (present (si:find-present-symbol name package)))
    (cond (present
           (values (car present)
                   (if (eql (package-index package) si:+keyword-index+)
                       :external
                       :internal)))
          ((eql (package-index package) si:+keyword-index+)
           (values nil nil))
          (t
           (let ((inherited (si:find-present-symbol name (find-package "LISP"))))
             (if inherited
                 (values (car inherited) :inherited)
                 (values nil nil)))))))

(defun intern (name &optional (package *package*))
  "The symbol with that name, a new one if there is none."
  (let ((package (si:the-package package)))
    (multiple-value-bind (symbol where) (find-symbol name package)
      (if where
          (values symbol where)
          (let ((symbol (si:create-symbol name (package-index package))))
            (si:set-gethash (copy-seq name) (si:later-symbols package) symbol)
            (when (eql (package-index package) si:+keyword-index+)
              (set symbol symbol))
            (values symbol nil))))))

(defun symbol-package (symbol)
  "The package a symbol belongs to, NIL if it belongs to none."
  (let ((index (si:symbol-package-index symbol)))
    (if (eql index 0)
        nil
        (svref il:*package-from-index* index))))

(defun keywordp (object)
  "Whether it is a keyword."
  (and (symbolp object)
       (eql (si:symbol-package-index object) si:+keyword-index+)))

(defun make-symbol (name)
  "A new symbol that belongs to no package."
  (si:create-symbol name 0))

(defun unintern (symbol &optional (package *package*))
  "Takes a symbol that was not there at first out of a package."
  (remhash (symbol-name symbol) (si:later-symbols (si:the-package package))))

(defun si:map-symbols (function package)
  "Calls FUNCTION with all symbols of a package."
  (si:map-linked-symbols function package)
  (when (package-tables package)
    (maphash #'(lambda (name symbol) (funcall function symbol))
             (package-tables package))))

(defvar *gensym-counter* 1 "The number of the next symbol that GENSYM makes.")

(defun gensym (&optional (prefix "G"))
  "A new symbol with a number in its name, which belongs to no package."
  (let ((number *gensym-counter*))
    (when (integerp prefix)
      (setq number prefix prefix "G"))
    (setq *gensym-counter* (+ number 1))
    (make-symbol (string-append prefix (si:integer-digits number 10)))))

;;; Property lists.

(defun get (symbol indicator &optional default)
  "The property of a symbol with that indicator."
  (getf (symbol-plist symbol) indicator default))

(defun si:set-get (symbol indicator value &optional (new nil default-p))
  "Sets a property of a symbol. Between the indicator and the value there may be a
default."
  (let ((value (if default-p new value)))
    (si:set-symbol-plist symbol
                         (si:store-property (symbol-plist symbol) indicator value))
    value))

(defun remprop (symbol indicator)
  "Removes a property of a symbol; whether there was one."
  (multiple-value-bind (plist found)
      (si:remove-from-list (symbol-plist symbol) indicator)
    (si:set-symbol-plist symbol plist)
    found))

;;; Functions.

(defun macro-function (symbol &optional environment)
  "The function that expands calls of a macro, NIL if it is none."
  (get symbol 'si:macro-function))

(defun si:set-macro-function (symbol function)
  (si:set-get symbol 'si:macro-function function))

(defun fboundp (symbol)
  "Whether a symbol has a function or is a macro."
  (and (or (macro-function symbol)
           (get symbol 'si:special-form)
           (si:symbol-definition symbol))
       t))

(defun symbol-function (symbol)
  "The function of a symbol."
  (or (si:symbol-definition symbol)
      (macro-function symbol)
      (error 'undefined-function :name symbol)))

(defun si:set-symbol-function (symbol function)
  "Makes a function that of a symbol, which no longer is a macro."
  (remprop symbol 'si:macro-function)
  (si:define-function symbol (si:function-of function))
  function)

(defun fmakunbound (symbol)
  "Takes its function from a symbol."
  (remprop symbol 'si:macro-function)
  (si:define-function symbol nil)
  symbol)

(defun fdefinition (name)
  "The function with that name."
  (symbol-function name))

(defun si:function-of (object)
  "The function that a function, name or lambda expression stands for."
  (cond ((functionp object) object)
        ((symbolp object) (symbol-function object))
        ((and (consp object) (eq (car object) 'lambda)) (eval object))
        (t (si:wrong-type object 'function))))

(defun complement (function)
  "A function that is true where FUNCTION is not."
  #'(lambda (&rest arguments) (not (apply function arguments))))

(defun constantly (value)
  "A function that always returns the value."
  #'(lambda (&rest arguments) value))

(defun identity (object)
  "The object."
  object)
