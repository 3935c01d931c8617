package main

import (
	"embed"
	"io/fs"
)

// built is what Vite made of frontend/. On a fresh clone the folder holds only
// .gitkeep, so that the program compiles; `serve` then refuses to start and
// names the command that builds the front end.
//
//go:embed all:frontend/dist
var built embed.FS

// dist returns the built front end, with index.html at its root once there is one.
func dist() fs.FS {
	folder, err := fs.Sub(built, "frontend/dist")
	if err != nil {
		panic(err) // the path is a constant: only a slip in this file gets here
	}
	return folder
}
