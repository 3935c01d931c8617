package settings

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrBrandFixed = problem.New(http.StatusConflict, "brand_fixed", "The name is set by the program's flag --brand. Whoever runs the program can change it.")
	ErrOtherKey   = problem.New(http.StatusConflict, "key_changed", "Another key took this one's place meanwhile. Put a copy of the key ring of now elsewhere.")
)
