package mail

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// ErrNoServer refuses what a mail would have to be sent for, where none leaves.
var ErrNoServer = problem.New(http.StatusConflict, "no_mail_server", "No mail leaves this installation. Whoever runs the program can set a mail server with the flags --smtp-url and --mail-from.")
