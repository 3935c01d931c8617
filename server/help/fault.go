package help

import (
	"fmt"
	"strings"
)

// mostFaults are told at once: whoever mends five will see the rest.
const mostFaults = 5

// Fault is what is wrong with an article, and where.
type Fault struct {
	File string // below the folder of the articles, such as "en/sign-in.md"
	Line int    // 0: the file as a whole
	What string
}

func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.What
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What)
}

// Faults are all that is wrong with a folder of articles.
type Faults []Fault

// Error names the first of them.
func (f Faults) Error() string {
	told := make([]string, 0, mostFaults)
	for _, one := range f[:min(len(f), mostFaults)] {
		told = append(told, one.String())
	}
	more := ""
	if left := len(f) - mostFaults; left > 0 {
		more = fmt.Sprintf(" (and %d more)", left)
	}
	return strings.Join(told, "; ") + more
}

// err is nil without a fault, which a nil Faults in an error would not be.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
