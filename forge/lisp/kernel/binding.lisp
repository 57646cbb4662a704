;;;; PROGV: variables that are known only at run time, bound by a frame with a name
;;;; table of its own.
;;;;
;;;; The table is an object of the heap in the shape of the beginning of a function;
;;;; the frame keeps it alive. The values are in the places of arguments that the
;;;; caller does not give.

(defconstant si:+names-per-frame+ 16)

(defun si:call-with-bindings (symbols values function)
  "Calls a function without arguments while the symbols are bound. Symbols without a
value are unbound."
  ;; The function has more parameters, in which the values will be.
  (funcall 'si:binding-frame symbols values function))

(defun si:binding-frame (symbols values function v0 v1 v2 v3 v4 v5 v6 v7
                         v8 v9 v10 v11 v12 v13 v14 v15)
  (let ((rest (si:publish-arguments symbols values)))
    (if rest
        (si:call-with-bindings (car rest) (cdr rest) function)
        (funcall function))))

(defun si:publish-arguments (symbols values)
  "Binds symbols in the frame of the calling function, from its argument 3 on. The
symbols and values that are left over, or NIL."
  (let* ((frame (opcodes (myalink)))
         (address (si:stack-address frame))
         (words (* 2 (+ si:+names-per-frame+ 2)))
         (table (si:allocate-cells (+ 4 words) nil))
         (names (si:add-words table 8))
         (place (si:stack-address (+ (si:frame-arguments frame) 6)))
         (count 0))
    (do () ((or (null symbols) (eq count si:+names-per-frame+)))
      (si:set-pointer names 0 (car symbols))
      (si:set-word (si:add-words names words) 1 (+ count 3))
      (si:set-pointer place 0 (if values (car values) (si:make-pointer 0 1)))
      (setq names (si:add-words names 2))
      (setq place (si:add-words place 2))
      (setq symbols (cdr symbols))
      (setq values (cdr values))
      (setq count (+ count 1)))
    (si:set-word table 6 words)
    (if (eq si:*generation* 3)
        (si:set-pointer address 6 table)
        (si:set-word (si:set-word address 6 (si:low table)) 7 (si:high table)))
    ;; The frame has a valid name table.
    (si:set-word address 0 (opcodes (logor2) (si:word-at address 0) #x0200))
    (if symbols
        (cons symbols values)
        nil)))
