package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// stat returns the parent and the state of a process; a parent of 0 means that there is no such process.
func stat(pid int) (parent int, state string) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, ""
	}
	words := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(words) < 2 {
		return 0, ""
	}
	parent, _ = strconv.Atoi(words[1])
	return parent, words[0]
}

// alive tells whether a process runs; one that is dead and waits to be collected does not.
func alive(pid int) bool {
	_, state := stat(pid)
	return state != "" && state != "Z" && state != "X"
}

// descendants returns the processes below one.
func descendants(pid int) (out []int) {
	children := map[int][]int{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		child, _ := strconv.Atoi(filepath.Base(folder))
		parent, _ := stat(child)
		children[parent] = append(children[parent], child)
	}
	for todo := []int{pid}; len(todo) > 0; todo = todo[1:] {
		out = append(out, children[todo[0]]...)
		todo = append(todo, children[todo[0]]...)
	}
	return out
}

// ownerOf returns the process that holds the loopback connection from one port to another, 0 where none does.
func ownerOf(from, to int) int {
	inode := ""
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if words := strings.Fields(lines.Text()); len(words) > 9 && port(words[1]) == from && port(words[2]) == to {
				inode = words[9]
			}
		}
		_ = f.Close()
	}
	if inode == "" {
		return 0
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, file := range files {
		if target, _ := os.Readlink(file); target == "socket:["+inode+"]" {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			return pid
		}
	}
	return 0
}

// port reads the port of an address as /proc/net/tcp has it.
func port(address string) int {
	n, _ := strconv.ParseInt(address[strings.LastIndexByte(address, ':')+1:], 16, 32)
	return int(n)
}
