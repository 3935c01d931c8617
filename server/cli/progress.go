package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// progress shows on standard error how far something has come: as a bar on a terminal, elsewhere as a line for every
// tenth of it.
func (p program) progress(what string) func(done, total int) {
	if file, ok := p.errors.(*os.File); ok && isatty.IsTerminal(file.Fd()) {
		var bar *progressbar.ProgressBar
		return func(done, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.errors), progressbar.OptionSetDescription(what),
					progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
			}
			_ = bar.Set(done) // a bar that can't be drawn is no reason to stop
		}
	}
	told := 0
	return func(done, total int) {
		if tenth := 10 * done / max(total, 1); tenth > told {
			told = tenth
			fmt.Fprintf(p.errors, "%s: %d %%\n", what, 10*tenth)
		}
	}
}
