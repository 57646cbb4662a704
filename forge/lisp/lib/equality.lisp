;;;; Equality of structures.

(defun equal (a b)
  "Whether two objects are EQL, or lists or strings of equal elements."
  (equal a b))

(defun si:generic-equal (a b)
  "What the machine's instruction for EQUAL leaves to Lisp: all but the simplest."
  (do () (nil)
    (cond ((eql a b) (return t))
          ((consp a)
           (unless (and (consp b) (equal (car a) (car b)))
             (return nil))
           (setq a (cdr a) b (cdr b)))
          ((stringp a)
           (return (and (stringp b) (string= a b))))
          (t (return nil)))))

(defun equalp (a b)
  "Whether two objects are EQUAL without regard to case and type of numbers, or arrays,
structures or hash tables of such elements."
  (cond ((eql a b) t)
        ((characterp a) (and (characterp b) (char-equal a b)))
        ((numberp a) (and (numberp b) (= a b)))
        ((consp a)
         (and (consp b)
              (equalp (car a) (car b))
              (equalp (cdr a) (cdr b))))
        ((vectorp a)
         (and (vectorp b)
              (eql (length a) (length b))
              (every #'equalp a b)))
        ((hash-table-p a)
         (and (hash-table-p b)
              (eql (hash-table-count a) (hash-table-count b))
              (every #'(lambda (entry)
                         (equalp (cdr entry) (gethash (car entry) b)))
                     (si:hash-table-entries a))))
        ((si:structurep a)
         (and (si:structurep b)
              (eq (type-of a) (type-of b))
              (every #'(lambda (index)
                         (equalp (si:structure-ref a index) (si:structure-ref b index)))
                     (si:indices (length (si:structure-fields (type-of a)))))))
        (t nil)))

(defun si:indices (count)
  "The list of the numbers from 0."
  (let ((list nil))
    (dotimes (index count (nreverse list))
      (push index list))))
