//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// patience bounds every wait for another process.
const patience = time.Minute

// startServer runs a redis-server without persistence until ctx ends. wait
// waits until the server has ended. If startServer returns an error, it leaves
// no server behind.
func startServer(ctx context.Context, path string) (addr string, wait func(), err error) {
	for range 5 { // a port that was free a moment ago may be taken
		if addr, wait, err = tryServer(ctx, path); err == nil {
			return addr, wait, nil
		}
	}
	return "", nil, err
}

func tryServer(ctx context.Context, path string) (addr string, wait func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "endtoend")
	if err != nil {
		return "", nil, err
	}
	ctx, kill := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--appendonly", "no", "--loglevel", "warning", "--client-output-buffer-limit", "pubsub 0 0 0")
	if err := cmd.Start(); err != nil {
		kill()
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // an error is expected, since ctx kills the server
		_ = os.RemoveAll(dir)
		kill()
		close(ended)
	}()
	defer func() {
		if err != nil {
			kill()
			<-ended
		}
	}()
	addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		p, err := dialPublisher(addr)
		if err == nil {
			return addr, func() { <-ended }, p.close()
		}
		select {
		case <-ended:
			return "", nil, fmt.Errorf("redis-server ended: %s", cmd.ProcessState)
		default:
		}
		if time.Now().After(deadline) {
			return "", nil, err
		}
	}
}
