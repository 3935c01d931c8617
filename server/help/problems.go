package help

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// ErrNoSentence refuses to mark what is not there.
var ErrNoSentence = problem.New(http.StatusNotFound, "no_sentence", "There is no such sentence.")
