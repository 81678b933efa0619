module github.com/seed79615202/respush/goredis

go 1.24.0

require (
	github.com/redis/go-redis/v9 v9.15.0-beta.1
	github.com/seed79615202/respush v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/seed79615202/respush => ..
