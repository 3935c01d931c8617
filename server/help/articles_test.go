package help

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// noPicture says that the front end has none; the articles' own are looked for where they are taken.
func noPicture(string) bool { return false }

func opened(t *testing.T) *library {
	t.Helper()
	l, err := load(nil, noPicture)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNoLinkIsDead walks all articles: their links and anchors, and the pictures that they show.
func TestNoLinkIsDead(t *testing.T) {
	articles, linked := 0, map[string]bool{}
	for _, of := range opened(t).locales {
		for _, article := range of.sorted {
			articles++
			for _, fault := range of.broken(article) {
				t.Error(fault)
			}
			for _, to := range article.links {
				linked[to.slug] = true
			}
			for _, shown := range article.figures {
				about, err := os.Stat("../../docs/screenshots/" + shown.name)
				if err != nil {
					t.Errorf("%s:%d: no picture %s is taken by make screenshots", article.file, shown.line, shown.name)
				} else if about.Size() > 40<<10 {
					t.Errorf("%s:%d: %s has %d bytes, and all pictures go into the program", article.file, shown.line, shown.name, about.Size())
				}
			}
		}
	}
	if articles < 20 || len(linked) < 15 {
		t.Errorf("%d articles, %d of them linked: the walk misses something", articles, len(linked))
	}
}

// TestNamesOfButtons holds what stands in bold to the words of the screens, so that no article names a button that is
// called otherwise. What is no name of the product stands in italics.
func TestNamesOfButtons(t *testing.T) {
	names := 0
	for _, of := range opened(t).locales {
		known := catalogue(t, of.name)
		for _, own := range []string{of.words.Contact.Title, of.words.Contact.Open, of.words.Contact.Solve} { // of these pages
			known[own] = true
		}
		for _, article := range of.sorted {
			if article.Locale != of.name {
				continue
			}
			for _, one := range article.strong {
				names++
				if !known[one.text] {
					t.Errorf("%s:%d: nothing on the screens is called %q", article.file, one.line, one.text)
				}
			}
		}
	}
	if names < 100 {
		t.Errorf("%d names are in bold: the walk misses some", names)
	}
}

// catalogue are the words of the screens in a language, but for those with places in them.
func catalogue(t *testing.T, locale string) map[string]bool {
	t.Helper()
	content, err := os.ReadFile("../../frontend/messages/" + locale + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var messages map[string]any
	if err := json.Unmarshal(content, &messages); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, message := range messages {
		if text, ok := message.(string); ok && !strings.Contains(text, "{") {
			known[text] = true
		}
	}
	return known
}

var toHelp = regexp.MustCompile(`\bhelp(?:\(|: )'([a-z0-9-]*)(?:#([a-z0-9-]+))?'`)

// TestScreensLinkToWhatIsThere holds the links of the screens to the articles and their anchors.
func TestScreensLinkToWhatIsThere(t *testing.T) {
	of := opened(t).locales[0]
	links := 0
	err := filepath.WalkDir("../../frontend/src", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains([]string{".svelte", ".ts"}, filepath.Ext(path)) || strings.HasSuffix(path, ".test.ts") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range toHelp.FindAllStringSubmatch(string(content), -1) {
			links++
			article := of.bySlug[found[1]]
			if article == nil || found[2] != "" && !article.hasAnchor(found[2]) {
				t.Errorf("%s leads to %s#%s, which is not there", path, found[1], found[2])
			}
		}
		return nil
	})
	if err != nil || links < 20 {
		t.Errorf("%d links: %v", links, err)
	}
}

// TestArticlesAreOfUse holds each to what all have.
func TestArticlesAreOfUse(t *testing.T) {
	perAudience := map[string]int{}
	for _, article := range opened(t).locales[0].sorted {
		perAudience[article.Audience]++
		if article.Minutes > 6 {
			t.Errorf("%s takes %d minutes to read: divide it", article.file, article.Minutes)
		}
		if len(article.Sections) < 2 {
			t.Errorf("%s has no headings", article.file)
		}
		for _, section := range article.Sections {
			if strings.ContainsAny(section.Title+section.Text, "!") && !strings.Contains(section.Text, "http") {
				t.Errorf("%s: an exclamation mark under %q", article.file, section.Title)
			}
		}
	}
	for _, audience := range audiences {
		if perAudience[audience] < 5 {
			t.Errorf("%d articles are for %s", perAudience[audience], audience)
		}
	}
}
