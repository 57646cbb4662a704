;;;; The machine, the host and the stack, as far as programs want to see them.

;;; Time. The machine tells the time in milliseconds.

(defconstant internal-time-units-per-second 1000)

(defun si:clock (code)
  (opcodes (subrcall 49 2) code nil))

(defun get-internal-real-time ()
  "Milliseconds since some time long ago; they begin again after 49 days."
  (logand (si:clock 0) 2147483647))

(defun get-internal-run-time ()
  "Milliseconds that the machine was at work."
  (si:clock 2))

(defun get-universal-time ()
  "Seconds since the year 1900."
  (+ (logand (si:clock 4) 4294967295) 31536000))

(defun sleep (seconds)
  "Waits."
  (si:console-flush)
  (let ((end (+ (get-internal-real-time) (round (* 1000 seconds)))))
    (do () ((>= (get-internal-real-time) end) nil)
      (si:wait-a-moment 1000000))))

;;; Storage.

(declaim (si:global il:|\\NxtMDSPage| il:|\\NxtArrayPage| il:|\\LeastMDSPage|))

(defun gc ()
  "Reclaims all storage that nothing refers to."
  (opcodes (subrcall 92 0))
  nil)

(defun room ()
  "Prints how much storage is left."
  (format t "~&~:D kilobytes are free; ~:D kilobytes of objects have been allocated.~%"
          (ash (- il:|\\NxtMDSPage| il:|\\NxtArrayPage|) -1)
          (ash (- il:|\\LeastMDSPage| il:|\\NxtMDSPage|) -1))
  (values))

(defun save-image (name)
  "Saves everything in a file; T in the image that is started from it."
  (let ((result (si:save-image name)))
    (if (numberp result)
        (error "The image cannot be saved as ~A: error ~D." name result)
        result)))

(defun quit (&optional (status 0))
  "Ends the session; the host gets the status, an integer from 0 to 255."
  (si:quit status))

(defun exit (&optional (status 0))
  "Ends the session; the host gets the status, an integer from 0 to 255."
  (si:quit status))

;;; The host.

(defun si:environment-variable (name)
  "The value of a variable of the host, NIL if there is none."
  (let ((value (si:make-string 255)))
    (if (opcodes (subrcall 53 2) name value)
        (subseq value 0 (position (code-char 0) value))
        nil)))

;;; Files: pages of 512 bytes.

(defstruct (si:file (:copier nil))
  name number output
  (filler 'si:fill-from-file) ; reads more into the buffer, tells how much
  page        ; number of the page in the buffer
  buffer next
  end)        ; bytes in the buffer

(defvar si:*file-error* nil "The cell for the number of an error.")

(defun si:file-error-cell ()
  (or si:*file-error* (setq si:*file-error* (si:create 2))))

(defvar si:*host-errors*
  '((1 . "that is not allowed") (2 . "there is no such file") (5 . "the device failed")
    (13 . "permission denied") (16 . "it is in use") (17 . "there is such a file")
    (20 . "its folder is no folder") (21 . "it is a folder")
    (23 . "it is no file of characters") (24 . "too many files are open")
    (27 . "it is too large") (28 . "the disk is full") (30 . "files can only be read")
    (36 . "the name is too long") (122 . "the user's share of the disk is full"))
  "What the host's numbers of errors mean.")

(defun si:signal-file-error (name)
  "Signals the error that the host has told."
  (let* ((number (+ (si:file-error-cell) 0))
         (known (assoc number si:*host-errors*)))
    (error 'file-error :pathname name
                       :reason (if known
                                   (cdr known)
                                   (format nil "the host's error ~D" number)))))

(defun si:host-name (name)
  "The name by which the machine knows a file of the host: in the current folder unless
it begins with another one."
  (let ((name (string name)))
    (si:join-strings (if (and (> (length name) 0) (find (char name 0) "/.~"))
                         "{UNIX}"
                         "{UNIX}./")
                     name)))

(defun si:open-file (name output)
  "The file, NIL if it cannot be opened."
  (let* ((full (si:host-name name))
         (number (opcodes (subrcall 104 6) full (if output 3 0) (if output 1 0)
                          (si:create 2) (si:create 2) (si:file-error-cell))))
    (if number
        (si:make-file :name full :number number :output output :page 0
                      :buffer (si:make-buffer) :next 0 :end 0)
        nil)))

(defun si:fill-from-file (file)
  (let ((page (si:file-page file)))
    (setf (si:file-page file) (+ page 1))
    (opcodes (subrcall 37 4) (si:file-number file) page (si:file-buffer file)
             (si:file-error-cell))))

(defun si:file-read-byte (file)
  "The next byte, NIL at the end."
  (when (>= (si:file-next file) (si:file-end file))
    (setf (si:file-end file) (or (funcall (si:file-filler file) file) 0))
    (setf (si:file-next file) 0))
  (if (>= (si:file-next file) (si:file-end file))
      nil
      (let ((next (si:file-next file)))
        (setf (si:file-next file) (+ next 1))
        (si:byte-at (si:file-buffer file) next))))

(defun si:file-write-page (file)
  "Writes what is in the buffer."
  (unless (opcodes (subrcall 38 5) (si:file-number file) (si:file-page file)
                   (si:file-buffer file) (si:file-next file) (si:file-error-cell))
    (si:signal-file-error (si:file-name file))))

(defun si:file-write-byte (file byte)
  (si:set-byte (si:file-buffer file) (si:file-next file) byte)
  (setf (si:file-next file) (+ (si:file-next file) 1))
  (when (eql (si:file-next file) 512)
    (si:file-write-page file)
    (setf (si:file-page file) (+ (si:file-page file) 1))
    (setf (si:file-next file) 0)))

(defun si:close-file (file)
  (when (and (si:file-output file) (> (si:file-next file) 0))
    (si:file-write-page file))
  (opcodes (subrcall 105 4) (si:file-name file) (si:file-number file) 0
           (si:file-error-cell)))

(defun si:file-continuation (file)
  "Six more bits of a character."
  (logand (or (si:file-read-byte file) 0) #x3F))

(defun si:file-read-char (file)
  "The next character, NIL at the end."
  (let ((byte (si:file-read-byte file)))
    (cond ((null byte) nil)
          ((< byte #x80) (code-char byte))
          ((< byte #xE0)
           (code-char (+ (ash (logand byte #x1F) 6) (si:file-continuation file))))
          ((< byte #xF0)
           (let* ((high (si:file-continuation file))
                  (low (si:file-continuation file)))
             (code-char (+ (ash (logand byte #x0F) 12) (ash high 6) low))))
          (t
           ;; There are no characters of this length, only one in their place.
           (dotimes (time 3)
             (si:file-read-byte file))
           (code-char #xFFFD)))))

(defun si:file-write-char (file character)
  (let ((code (char-code character)))
    (cond ((< code #x80) (si:file-write-byte file code))
          ((< code #x800)
           (si:file-write-byte file (+ #xC0 (ash code -6)))
           (si:file-write-byte file (+ #x80 (logand code #x3F))))
          (t
           (si:file-write-byte file (+ #xE0 (ash code -12)))
           (si:file-write-byte file (+ #x80 (logand (ash code -6) #x3F)))
           (si:file-write-byte file (+ #x80 (logand code #x3F)))))))

;;; Shell commands.

(defun si:fill-from-command (file)
  "Waits for what the command writes."
  (do ((count t (opcodes (subrcall 117 3) 9 (si:file-number file) (si:file-buffer file))))
      ((not (eq count t)) count)
    (si:wait-a-moment 1000000)))

(defun run-shell-command (command)
  "Runs a command of the host's shell; what it writes, and its exit status."
  (let ((job (opcodes (subrcall 117 2) 0 command)) (status nil) (output nil))
    (unless job
      (error "The host runs no shell commands."))
    (unwind-protect
         (let ((file (si:make-file :number job :filler 'si:fill-from-command
                                   :buffer (si:make-buffer) :next 0 :end 0)))
           (setq output
                 (with-output-to-string (to)
                   (do ((character (si:file-read-char file) (si:file-read-char file)))
                       ((null character))
                     (write-char character to)))))
      (setq status (opcodes (subrcall 117 2) 3 job)))
    (values output status)))

;;; The stack, as far as the user knows the functions.

(defconstant si:+shown-frames+ 40)

(defvar si:*hidden-functions* '(error cerror eval read)
  "Functions of Lisp that report an error or evaluate a form, but have no part in it.")

(defvar si:*outermost-functions*
  '(si:evaluate-and-print si:evaluate-request si:initial si:read-and-evaluate
    si:read-eval-print-loop si:top-level si:start il:\\cold-start)
  "Functions that run what the user wants.")
(declaim (si:global si:*hidden-functions* si:*outermost-functions*))

(defun si:call-frames ()
  "The functions that are at work and their arguments, the innermost first, as lists."
  (let ((frame (opcodes (myalink)))
        (frames nil)
        (count 0))
    (do ()
        ((or (<= frame 0)
             (>= count si:+shown-frames+)
             (member (si:frame-name frame) si:*outermost-functions*))
         (nreverse frames))
      (unless (si:hidden-function-p (si:frame-name frame))
        (push (si:describe-frame frame) frames)
        (setq count (+ count 1)))
      (setq frame (si:frame-caller frame)))))

(defun si:hidden-function-p (name)
  "Whether the user does not want to see a function: it reports errors, is called in the
place of an instruction or belongs to the system."
  (and (symbolp name)
       (not (null name))
       (not (eq name 'si:close-over))
       (or (member name si:*hidden-functions*)
           (member (symbol-package name)
                   (list (find-package "SYSTEM") (find-package "INTERLISP"))))))

(defun si:describe-frame (frame)
  (let ((arguments nil)
        (name (si:frame-name frame)))
    (dotimes (index (si:frame-argument-count frame))
      (push (si:frame-argument frame index) arguments))
    (cons (if (eq name 'si:close-over)
              (si:interpreted-frame-name frame)
              name)
          (nreverse arguments))))

(defun si:interpreted-frame-name (frame)
  "The name of the interpreted function that a frame works for, LAMBDA if it has none."
  ;; Its closure has the function, somewhere in the environment in the first slot.
  (let ((function (if (eq (si:frame-word frame 10) 65535)
                      nil
                      (si:interpreted-in (si:frame-slot frame 0) 2))))
    (if function
        (or (si:interpreted-name function) 'lambda)
        'si:close-over)))

(defun si:interpreted-in (object depth)
  "The interpreted function that an environment holds, NIL if there is none."
  (cond ((si:interpreted-p object) object)
        ((or (eql depth 0) (< (si:type-number object) 20) (> (si:type-number object) 73)) nil)
        (t
         (let* ((descriptor (si:descriptor (si:type-number object)))
                (words (if (eq si:*generation* 3)
                           (si:word-at descriptor 3)
                           (si:word-at descriptor 1))))
           (do ((offset 0 (+ offset 2)))
               ((>= offset (min words 8)) nil)
             (let ((found (si:interpreted-in (si:pointer-at (si:add-words object offset) 0)
                                             (- depth 1))))
               (when found
                 (return found))))))))
