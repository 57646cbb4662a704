;;;; Hash tables: a vector of lists of pairs.

(defstruct (hash-table (:constructor si:make-table (test buckets)))
  test buckets (count 0))

(defconstant si:+largest-bucket-count+ 60000)

(defun make-hash-table (&key (test 'eql) (size 16) rehash-size rehash-threshold)
  "A new hash table; the test is EQ, EQL or EQUAL."
  (let ((name (cond ((si:same-function-p test 'eq) 'eq)
                    ((si:same-function-p test 'eql) 'eql)
                    ((si:same-function-p test 'equal) 'equal)
                    (t (error "~S is not a test for hash tables." test)))))
    (si:make-table name (make-array (max 8 (min size si:+largest-bucket-count+))))))

(defun hash-table-size (table)
  "How many entries there may be before the table becomes larger."
  (length (hash-table-buckets table)))

(defun si:hash-code (key test)
  "A number from 0 to 65535."
  (cond ((eq test 'equal) (sxhash key))
        ((numberp key) (sxhash key))
        (t (si:address-hash key))))

(defun si:bucket-index (key table)
  (si:remainder (si:hash-code key (hash-table-test table))
                (length (hash-table-buckets table))))

(defun si:find-entry (key test bucket)
  (cond ((eq test 'equal)
         (do ((rest bucket (cdr rest)))
             ((null rest) nil)
           (when (equal (car (car rest)) key)
             (return (car rest)))))
        (t
         (do ((rest bucket (cdr rest)))
             ((null rest) nil)
           (when (eql (car (car rest)) key)
             (return (car rest)))))))

(defun gethash (key table &optional default)
  "The value of a key, and whether there is one."
  (let ((entry (si:find-entry key (hash-table-test table)
                              (svref (hash-table-buckets table)
                                     (si:bucket-index key table)))))
    (if entry
        (values (cdr entry) t)
        (values default nil))))

(defun si:set-gethash (key table value &optional (new nil default-p))
  "Sets the value of a key. Between the table and the value there may be a default."
  (let* ((value (if default-p new value))
         (buckets (hash-table-buckets table))
         (index (si:bucket-index key table))
         (entry (si:find-entry key (hash-table-test table) (svref buckets index))))
    (cond (entry (rplacd entry value))
          (t
           (setf (svref buckets index) (acons key value (svref buckets index)))
           (setf (hash-table-count table) (+ (hash-table-count table) 1))
           (when (> (hash-table-count table) (* 2 (length buckets)))
             (si:grow-hash-table table))))
    value))

(defun puthash (key table value)
  "Sets the value of a key."
  (si:set-gethash key table value))

(defun si:grow-hash-table (table)
  "Gives every entry a place among more buckets."
  (let* ((old (hash-table-buckets table))
         (size (min si:+largest-bucket-count+ (+ (* 4 (length old)) 1)))
         (new (make-array size)))
    (when (> size (length old))
      (setf (hash-table-buckets table) new)
      (dotimes (place (length old))
        (dolist (entry (svref old place))
          (let ((index (si:bucket-index (car entry) table)))
            (setf (svref new index) (cons entry (svref new index)))))))))

(defun remhash (key table)
  "Removes a key; whether there was one."
  (let* ((buckets (hash-table-buckets table))
         (index (si:bucket-index key table))
         (bucket (svref buckets index))
         (entry (si:find-entry key (hash-table-test table) bucket)))
    (cond (entry
           (setf (svref buckets index)
                 (si:delete-from-list #'(lambda (other) (eq other entry)) bucket))
           (setf (hash-table-count table) (- (hash-table-count table) 1))
           t)
          (t nil))))

(defun clrhash (table)
  "Removes all keys."
  (fill (hash-table-buckets table) nil)
  (setf (hash-table-count table) 0)
  table)

(defun maphash (function table)
  "Calls FUNCTION with every key and its value."
  (let ((buckets (hash-table-buckets table)))
    (dotimes (index (length buckets) nil)
      ;; The function may remove the entry.
      (do ((rest (svref buckets index)))
          ((null rest))
        (let ((entry (car rest)))
          (setq rest (cdr rest))
          (funcall function (car entry) (cdr entry)))))))

(defun si:hash-table-entries (table)
  "A list of pairs of keys and values."
  (let ((entries nil))
    (maphash #'(lambda (key value) (setq entries (acons key value entries))) table)
    entries))
