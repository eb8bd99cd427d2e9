// Program registry is an in-memory image registry for tests: it forgets everything when it ends.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

var version = "unset" // set by the linker

func main() {
	address := flag.String("listen", "127.0.0.1:0", "host:port; port 0 takes a free one")
	asked := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *asked {
		fmt.Println("registry version", version)
		return
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr()) // one line, once it takes connections
	silent := registry.Logger(log.New(os.Stderr, "", 0))
	server := &http.Server{Handler: registry.New(silent), ReadHeaderTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}
