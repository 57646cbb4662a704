;;;; Sequences: lists and vectors, strings among them.

(defun si:out-of-range (index sequence)
  (error "The index ~S is out of range for ~S." index sequence))

(defun length (sequence)
  "How many elements a sequence has."
  (cond ((null sequence) 0)
        ((consp sequence)
         (let ((n 0))
           (do ((list sequence (cdr list)))
               ((endp list) n)
             (setq n (+ n 1)))))
        ((vectorp sequence) (si:vector-length sequence))
        (t (si:wrong-type sequence 'sequence))))

(defun elt (sequence index)
  "Element INDEX of a sequence, counted from 0."
  (if (listp sequence)
      (let ((tail (nthcdr index sequence)))
        (if tail (car tail) (si:out-of-range index sequence)))
      (aref sequence index)))

(defun si:set-elt (sequence index value)
  (if (listp sequence)
      (let ((tail (nthcdr index sequence)))
        (if tail (si:set-car tail value) (si:out-of-range index sequence)))
      (setf (aref sequence index) value)))

;;; Conversion.

(defun si:list-of (sequence start end)
  "The elements from START to END as a list, which may be the sequence itself."
  (cond ((vectorp sequence)
         (let ((list nil))
           (do ((index (- (or end (length sequence)) 1) (- index 1)))
               ((< index start) list)
             (push (aref sequence index) list))))
        (end (si:first-elements (nthcdr start sequence) (- end start)))
        (t (nthcdr start sequence))))

(defun si:first-elements (list count)
  "A copy of the first COUNT elements."
  (let ((copy nil))
    (dotimes (index count (nreverse copy))
      (push (if (consp list) (car list) (si:out-of-range index list)) copy)
      (setq list (cdr list)))))

(defun si:vector-from (list like)
  "A vector of the elements, of the same kind as the vector LIKE."
  (let ((vector (si:make-vector-like like (length list)))
        (index 0))
    (dolist (element list vector)
      (setf (aref vector index) element)
      (setq index (+ index 1)))))

(defun si:string-from (list)
  "A string of the characters."
  (let ((string (make-string (length list)))
        (index 0))
    (dolist (character list string)
      (setf (char string index) character)
      (setq index (+ index 1)))))

(defun si:same-kind (list like)
  "The elements as a sequence of the same kind as LIKE."
  (if (listp like) list (si:vector-from list like)))

(defun si:make-of-type (type list)
  "The elements as a sequence of a type."
  (let ((name (if (consp type) (car type) type)))
    (cond ((member name '(list cons null)) list)
          ((member name '(string simple-string)) (si:string-from list))
          ((member name '(vector simple-vector array simple-array))
           (let ((element (if (consp type) (cadr type) t)))
             (if (member element '(character string-char))
                 (si:string-from list)
                 (make-array (length list) :element-type (or element t)
                                           :initial-contents list))))
          (t (error "~S is not a type of sequences." type)))))

(defun coerce (object type)
  "The object as an object of a type."
  (cond ((typep object type) object)
        ((member type '(float single-float)) (float object))
        ((eq type 'character) (character object))
        ((eq type 'function) (si:function-of object))
        ((and (listp object) (listp type) (eq (car type) 'function)) (si:function-of object))
        (t (si:make-of-type type (copy-list (si:list-of object 0 nil))))))

;;; Parts.

(defun subseq (sequence start &optional end)
  "A copy of the elements from START to END."
  (if (listp sequence)
      (if end
          (si:first-elements (nthcdr start sequence) (- end start))
          (copy-list (nthcdr start sequence)))
      (let* ((end (or end (length sequence)))
             (size (- end start)))
        (when (or (< start 0) (< size 0) (> end (length sequence)))
          (si:out-of-range (if (< start 0) start end) sequence))
        (let ((copy (si:make-vector-like sequence size)))
          (dotimes (index size copy)
            (setf (aref copy index) (aref sequence (+ start index))))))))

(defun si:set-subseq (sequence start end value)
  (replace sequence value :start1 start :end1 end)
  value)

(defun copy-seq (sequence)
  "A copy of a sequence."
  (subseq sequence 0))

(defun reverse (sequence)
  "The elements in reverse order."
  (if (listp sequence)
      (revappend sequence nil)
      (si:vector-from (revappend (si:list-of sequence 0 nil) nil) sequence)))

(defun nreverse (sequence)
  "Reverses a sequence itself."
  (if (listp sequence)
      (nreconc sequence nil)
      (do ((low 0 (+ low 1))
           (high (- (length sequence) 1) (- high 1)))
          ((>= low high) sequence)
        (let ((element (aref sequence low)))
          (setf (aref sequence low) (aref sequence high))
          (setf (aref sequence high) element)))))

(defun concatenate (type &rest sequences)
  "A new sequence of a type, of the elements of all sequences."
  (if (member type '(string simple-string))
      (si:concatenate-strings sequences)
      (let ((list nil))
        (dolist (sequence sequences)
          (setq list (revappend (si:list-of sequence 0 nil) list)))
        (si:make-of-type type (nreverse list)))))

(defun si:concatenate-strings (sequences)
  (let ((size 0) (place 0))
    (dolist (sequence sequences)
      (setq size (+ size (length sequence))))
    (let ((result (make-string size)))
      (dolist (sequence sequences result)
        (replace result sequence :start1 place)
        (setq place (+ place (length sequence)))))))

(defun fill (sequence item &key (start 0) end)
  "Sets all elements to the item."
  (if (listp sequence)
      (let ((list (nthcdr start sequence)))
        (do ((index start (+ index 1)))
            ((or (null list) (and end (>= index end))) sequence)
          (rplaca list item)
          (setq list (cdr list))))
      (do ((index start (+ index 1))
           (end (or end (length sequence))))
          ((>= index end) sequence)
        (setf (aref sequence index) item))))

(defun replace (target source &key (start1 0) end1 (start2 0) end2)
  "Copies elements of SOURCE into TARGET."
  (let ((count (min (- (or end1 (length target)) start1)
                    (- (or end2 (length source)) start2))))
    (cond ((or (listp target) (listp source))
           (let ((elements (si:list-of source start2 (+ start2 count)))
                 (index start1))
             (dolist (element elements)
               (si:set-elt target index element)
               (setq index (+ index 1)))))
          ;; The elements may overlap.
          ((and (eq target source) (> start1 start2))
           (do ((index (- count 1) (- index 1)))
               ((< index 0))
             (setf (aref target (+ start1 index)) (aref source (+ start2 index)))))
          (t
           (dotimes (index count)
             (setf (aref target (+ start1 index)) (aref source (+ start2 index))))))
    target))

;;; Search.

(defun si:scan (predicate sequence start end from-end)
  "Index of the first or last element that satisfies PREDICATE, and the element."
  (let ((found nil) (element nil))
    (block scan
      (if (listp sequence)
          (let ((list (nthcdr start sequence)))
            (do ((index start (+ index 1)))
                ((or (endp list) (and end (>= index end))))
              (when (funcall predicate (car list))
                (setq found index element (car list))
                (unless from-end
                  (return-from scan nil)))
              (setq list (cdr list))))
          (let* ((end (or end (length sequence)))
                 (step (if from-end -1 1))
                 (index (if from-end (- end 1) start)))
            (dotimes (time (- end start))
              (let ((candidate (aref sequence index)))
                (when (funcall predicate candidate)
                  (setq found index element candidate)
                  (return-from scan nil)))
              (setq index (+ index step))))))
    (values found element)))

(defun position-if (predicate sequence &key key (start 0) end from-end)
  "Index of the first element that satisfies PREDICATE."
  (values (si:scan (si:keyed predicate key) sequence start end from-end)))

(defun position (item sequence &key test key (start 0) end from-end)
  "Index of the first element that is the item."
  (values (si:scan (si:matching item test key) sequence start end from-end)))

(defun find-if (predicate sequence &key key (start 0) end from-end)
  "The first element that satisfies PREDICATE."
  (multiple-value-bind (index element)
      (si:scan (si:keyed predicate key) sequence start end from-end)
    (if index element nil)))

(defun find (item sequence &key test key (start 0) end from-end)
  "The first element that is the item."
  (multiple-value-bind (index element)
      (si:scan (si:matching item test key) sequence start end from-end)
    (if index element nil)))

(defun position-if-not (predicate sequence &key key (start 0) end from-end)
  "Index of the first element that does not satisfy PREDICATE."
  (position-if (complement predicate) sequence :key key :start start :end end
                                               :from-end from-end))

(defun find-if-not (predicate sequence &key key (start 0) end from-end)
  "The first element that does not satisfy PREDICATE."
  (find-if (complement predicate) sequence :key key :start start :end end
                                           :from-end from-end))

(defun count-if (predicate sequence &key key (start 0) end)
  "How many elements satisfy PREDICATE."
  (let ((predicate (si:keyed predicate key))
        (count 0))
    (dolist (element (si:list-of sequence start end) count)
      (when (funcall predicate element)
        (setq count (+ count 1))))))

(defun count-if-not (predicate sequence &key key (start 0) end)
  "How many elements do not satisfy PREDICATE."
  (count-if (complement predicate) sequence :key key :start start :end end))

(defun count (item sequence &key test key (start 0) end)
  "How many elements are the item."
  (count-if (si:matching item test key) sequence :start start :end end))

(defun mismatch (a b &key test key (start1 0) end1 (start2 0) end2)
  "Index in A of the first difference, NIL if there is none."
  (let ((test (or test #'eql))
        (as (si:list-of a start1 end1))
        (bs (si:list-of b start2 end2))
        (index start1))
    (do ()
        ((or (null as) (null bs)) (if (or as bs) index nil))
      (let ((a (car as)) (b (car bs)))
        (unless (if key
                    (funcall test (funcall key a) (funcall key b))
                    (funcall test a b))
          (return index))
        (setq as (cdr as) bs (cdr bs) index (+ index 1))))))

(defun search (pattern sequence &key test key (start1 0) end1 (start2 0) end2)
  "Index of the first place in the sequence that is like the pattern."
  (let* ((pattern (si:list-of pattern start1 end1))
         (size (length pattern))
         (rest (si:list-of sequence start2 end2))
         (last (- (length rest) size)))
    (do ((index 0 (+ index 1)))
        ((> index last) nil)
      (let ((difference (mismatch pattern rest :test test :key key)))
        (when (or (null difference) (>= difference size))
          (return (+ start2 index))))
      (setq rest (cdr rest)))))

;;; Selection.

(defun remove-if (predicate sequence &key key (start 0) end count)
  "A copy without the elements that satisfy PREDICATE."
  (let ((predicate (si:keyed predicate key))
        (kept nil)
        (index 0))
    (dolist (element (si:list-of sequence 0 nil))
      (if (and (>= index start)
               (or (null end) (< index end))
               (or (null count) (> count 0))
               (funcall predicate element))
          (when count
            (setq count (- count 1)))
          (push element kept))
      (setq index (+ index 1)))
    (si:same-kind (nreverse kept) sequence)))

(defun remove-if-not (predicate sequence &key key (start 0) end count)
  "A copy without the elements that do not satisfy PREDICATE."
  (remove-if (complement predicate) sequence :key key :start start :end end :count count))

(defun remove (item sequence &key test key (start 0) end count)
  "A copy without the item."
  (remove-if (si:matching item test key) sequence :start start :end end :count count))

(defun si:delete-from-list (predicate list)
  "Takes the elements that satisfy PREDICATE out of the list itself."
  (do () ((or (null list) (not (funcall predicate (car list)))))
    (setq list (cdr list)))
  (let ((cell list))
    (do () ((null (cdr cell)) list)
      (if (funcall predicate (cadr cell))
          (rplacd cell (cddr cell))
          (setq cell (cdr cell))))))

(defun delete-if (predicate sequence &key key (start 0) end count)
  "REMOVE-IF that may change the sequence itself."
  (if (and (listp sequence) (eql start 0) (null end) (null count))
      (si:delete-from-list (si:keyed predicate key) sequence)
      (remove-if predicate sequence :key key :start start :end end :count count)))

(defun delete-if-not (predicate sequence &key key)
  "REMOVE-IF-NOT that may change the sequence itself."
  (delete-if (complement predicate) sequence :key key))

(defun delete (item sequence &key test key (start 0) end count)
  "REMOVE that may change the sequence itself."
  (delete-if (si:matching item test key) sequence :start start :end end :count count))

(defun substitute-if (new predicate sequence &key key)
  "A copy with NEW in the place of the elements that satisfy PREDICATE."
  (let ((predicate (si:keyed predicate key)))
    (si:same-kind (mapcar #'(lambda (element)
                              (if (funcall predicate element) new element))
                          (si:list-of sequence 0 nil))
                  sequence)))

(defun substitute (new old sequence &key test key)
  "A copy with NEW in the place of OLD."
  (substitute-if new (si:matching old test key) sequence))

(defun remove-duplicates (sequence &key test key)
  "A copy of the sequence with only the last of equal elements."
  (let ((kept nil)
        (test (or test #'eql)))
    (do ((rest (si:list-of sequence 0 nil) (cdr rest)))
        ((null rest))
      (let ((element (car rest)))
        (unless (member (if key (funcall key element) element) (cdr rest) :test test :key key)
          (push element kept))))
    (si:same-kind (nreverse kept) sequence)))

(defun delete-duplicates (sequence &key test key)
  "REMOVE-DUPLICATES that may change the sequence itself."
  (remove-duplicates sequence :test test :key key))

;;; Functions of all elements.

(defun si:list-each (sequences)
  (mapcar #'(lambda (sequence) (si:list-of sequence 0 nil)) sequences))

(defun map (type function sequence &rest more)
  "A sequence of a type, of the results of FUNCTION for all elements."
  (let ((lists (si:list-each (cons sequence more))))
    (if (null type)
        (progn (apply #'mapc function lists) nil)
        (si:make-of-type type (apply #'mapcar function lists)))))

(defun map-into (target function &rest sequences)
  "Stores the results of FUNCTION for all elements in the sequence TARGET."
  (replace target (apply #'mapcar function (si:list-each sequences))))

(defun some (predicate sequence &rest more)
  "The first true value of PREDICATE for elements of the sequences."
  (if (null more)
      (dolist (element (si:list-of sequence 0 nil) nil)
        (let ((value (funcall predicate element)))
          (when value
            (return value))))
      (do ((lists (si:list-each (cons sequence more)) (si:step-lists lists)))
          ((si:any-ended-p lists) nil)
        (let ((value (apply predicate (si:cars lists))))
          (when value
            (return value))))))

(defun every (predicate sequence &rest more)
  "Whether PREDICATE is true for all elements of the sequences."
  (if (null more)
      (let ((value t))
        (dolist (element (si:list-of sequence 0 nil) value)
          (setq value (funcall predicate element))
          (unless value
            (return nil))))
      (not (apply #'some (complement predicate) sequence more))))

(defun notany (predicate sequence &rest more)
  "Whether PREDICATE is true for no elements of the sequences."
  (not (apply #'some predicate sequence more)))

(defun notevery (predicate sequence &rest more)
  "Whether PREDICATE is not true for all elements of the sequences."
  (not (apply #'every predicate sequence more)))

(defun reduce (function sequence &key key (start 0) end from-end
                                   (initial-value nil initial-value-p))
  "Combines all elements with a function of two arguments."
  (let ((list (si:list-of sequence start end)))
    (when key
      (setq list (mapcar key list)))
    (when from-end
      (setq list (reverse list)))
    (cond ((and (null list) (not initial-value-p))
           (funcall function))
          (t
           (let ((result (if initial-value-p initial-value (pop list))))
             (dolist (element list result)
               (setq result (if from-end
                                (funcall function element result)
                                (funcall function result element)))))))))

;;; Order.

(defun si:merge-lists (a b predicate key)
  "Joins two sorted lists themselves to a sorted one, elements of A before equal ones
of B."
  (let* ((head (cons nil nil))
         (end head))
    (do ()
        ((or (null a) (null b))
         (rplacd end (or a b))
         (cdr head))
      (if (if key
              (funcall predicate (funcall key (car b)) (funcall key (car a)))
              (funcall predicate (car b) (car a)))
          (progn (rplacd end b) (setq end b b (cdr b)))
          (progn (rplacd end a) (setq end a a (cdr a)))))))

(defun si:sort-list (list size predicate key)
  "Sorts the first SIZE elements of a list, and forgets the others."
  (if (eql size 1)
      (progn (rplacd list nil) list)
      (let* ((half (ash size -1))
             (rest (nthcdr half list)))
        (setq list (si:sort-list list half predicate key))
        (setq rest (si:sort-list rest (- size half) predicate key))
        (si:merge-lists list rest predicate key))))

(defun stable-sort (sequence predicate &key key)
  "Sorts the sequence itself; equal elements keep their order."
  (cond ((eql (length sequence) 0) sequence)
        ((listp sequence)
         (si:sort-list sequence (length sequence) predicate key))
        (t
         (replace sequence
                  (si:sort-list (si:list-of sequence 0 nil) (length sequence)
                                predicate key)))))

(defun sort (sequence predicate &key key)
  "Sorts the sequence itself."
  (stable-sort sequence predicate :key key))

(defun merge (type a b predicate &key key)
  "A sorted sequence of the elements of two sorted ones."
  (si:make-of-type type
                   (si:merge-lists (copy-list (si:list-of a 0 nil))
                                   (copy-list (si:list-of b 0 nil))
                                   predicate key)))
