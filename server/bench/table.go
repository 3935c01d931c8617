package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// line is one line of the table.
type line struct{ what, ours, reference, ratio, bar, met string }

type table []line

// says is yes or no, as the last column says it.
func says(met bool) string {
	if met {
		return "yes"
	}
	return "**no**"
}

// atLeast adds a rate that must reach a part of its reference.
func (t *table) atLeast(what string, ours, reference float64, bar float64, also ...condition) {
	ratio := ours / reference
	t.add(line{what, rate(ours), rate(reference), fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≥ %.2f", bar), ""}, ratio >= bar, also)
}

// atMost adds a time that may be so many times its reference.
func (t *table) atMost(what string, ours, reference time.Duration, bar float64, also ...condition) {
	ratio := float64(ours) / float64(reference)
	t.add(line{what, took(ours), took(reference), fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≤ %.1f", bar), ""}, ratio <= bar, also)
}

// condition is what a row must keep besides its ratio.
type condition struct {
	bar string
	met bool
}

func (t *table) add(l line, met bool, also []condition) {
	for _, one := range also {
		l.bar += ", " + one.bar
		met = met && one.met
	}
	l.met = says(met)
	*t = append(*t, l)
	fmt.Fprintf(os.Stderr, "%s | %s | %s | %s | %s | %s\n", l.what, l.ours, l.reference, l.ratio, l.bar, l.met)
}

func rate(perSecond float64) string {
	if perSecond < 1000 {
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return fmt.Sprintf("%.0f/s", perSecond)
}

func took(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// text is the table in Markdown, its columns aligned for a terminal.
func (t table) text() string {
	all := append([]line{{"what", "ours", "reference", "ratio", "bar", "met"}}, t...)
	cells := make([][]string, len(all))
	var width [6]int
	for n, l := range all {
		cells[n] = []string{l.what, l.ours, l.reference, l.ratio, l.bar, l.met}
		for column, cell := range cells[n] {
			width[column] = max(width[column], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	write := func(cells []string) {
		for column, cell := range cells {
			out.WriteString("| " + cell + strings.Repeat(" ", width[column]-utf8.RuneCountInString(cell)) + " ")
		}
		out.WriteString("|\n")
	}
	write(cells[0])
	rule := make([]string, len(width))
	for column := range rule {
		rule[column] = strings.Repeat("-", width[column])
	}
	write(rule)
	for _, one := range cells[1:] {
		write(one)
	}
	return out.String()
}

// machine says where and when.
func machine(began time.Time) string {
	return fmt.Sprintf("%s, %d processors (%s/%s), %s, %s; the whole run took %.0f s.", began.UTC().Format("2 January 2006"),
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, processor(), runtime.Version(), time.Since(began).Seconds())
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func document(table string, began time.Time) string {
	return `# Figures

Written by ` + "`make bench`" + `. Each row is measured against its reference in the same run, the two turn about in several short
rounds, of which the median counts; clients and server share the machine. Every commit waits for the disk, on SQLite and
on PostgreSQL.

` + machine(began) + "\n\n" + table
}

// median of several rounds.
func median[T ~int64 | ~float64](of []T) T {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// percentile of latencies, such as 0.99.
func percentile(of []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}
