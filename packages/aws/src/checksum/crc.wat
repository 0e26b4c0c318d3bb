;; Reflected CRCs of up to 64 bits.
;;
;; Short data goes eight bytes at a time through tables (slicing-by-8). Long data is first made short, without tables: a
;; multiple of the CRC's polynomial with seven terms says that a byte may be taken away when it is added to the six bytes
;; behind it at the distances between those terms. Added up the other way round, each sixteen bytes are those of the data
;; plus six times sixteen bytes that were computed before, and what is left at the end has the length of that multiple.
;; (The idea is that of Chorba, a CRC32 of zlib-ng.)
;;
;; Memory: 0 to 16384 eight tables of 256 64-bit values, table 0 for the last byte of eight; 32768 what is left of long
;; data; zeros before 65536; data from 65536 on, with room for 64 bytes more.
;; `pnpm --filter @penstock/aws build:wasm` writes crc-wasm.ts from this file.
(module
  (memory (export "memory") 6)

  ;; Product of two polynomials of so many bits modulo the third, all reflected.
  (func $multiply (param $a i64) (param $b i64) (param $polynomial i64) (param $bits i64) (result i64)
    (local $product i64)
    (loop $next
      (local.set $bits (i64.sub (local.get $bits) (i64.const 1)))
      ;; -(bit) is all ones or nothing.
      (local.set $product
        (i64.xor (local.get $product)
          (i64.and (local.get $b)
            (i64.sub (i64.const 0)
              (i64.and (i64.shr_u (local.get $a) (local.get $bits)) (i64.const 1))))))
      (local.set $b
        (i64.xor (i64.shr_u (local.get $b) (i64.const 1))
          (i64.and (local.get $polynomial)
            (i64.sub (i64.const 0) (i64.and (local.get $b) (i64.const 1))))))
      (br_if $next (i64.ne (local.get $bits) (i64.const 0))))
    (local.get $product))

  ;; Adds to what is left the bytes from `end` - `distance` to `end`.
  (func $leave (param $end i32) (param $distance i32)
    (local $done i32)
    (block $none
      (br_if $none (i32.eqz (local.get $distance)))
      (loop $next
        (v128.store offset=32768 (local.get $done)
          (v128.xor
            (v128.load offset=32768 (local.get $done))
            (v128.load (i32.add (i32.sub (local.get $end) (local.get $distance)) (local.get $done)))))
        (local.set $done (i32.add (local.get $done) (i32.const 16)))
        (br_if $next (i32.lt_u (local.get $done) (local.get $distance))))))

  ;; CRC register after `length` bytes of data, which it changes. Distances are of 64 bytes and more, the first one the
  ;; longest; 0 is none. `power` is x^(-8 * distance1).
  (func (export "long")
    (param $crc i64) (param $length i32)
    (param $distance1 i32) (param $distance2 i32) (param $distance3 i32) (param $distance4 i32) (param $distance5 i32) (param $distance6 i32)
    (param $power i64) (param $polynomial i64) (param $bits i64) (result i64)
    (local $at i32) (local $end i32)
    (local $at1 i32) (local $at2 i32) (local $at3 i32) (local $at4 i32) (local $at5 i32) (local $at6 i32)
    (local $step6 i32)
    (local.set $at (i32.const 65536))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (i64.store (local.get $at) (i64.xor (local.get $crc) (i64.load (local.get $at))))
    (local.set $at1 (i32.sub (local.get $at) (local.get $distance1)))
    (local.set $at2 (i32.sub (local.get $at) (local.get $distance2)))
    (local.set $at3 (i32.sub (local.get $at) (local.get $distance3)))
    (local.set $at4 (i32.sub (local.get $at) (local.get $distance4)))
    (local.set $at5 (i32.sub (local.get $at) (local.get $distance5)))
    (local.set $at6 (i32.sub (local.get $at) (local.get $distance6)))
    (local.set $step6 (i32.const 64))
    (if (i32.eqz (local.get $distance6))
      (then (local.set $at6 (i32.const 57344)) (local.set $step6 (i32.const 0))))
    (loop $next
      (v128.store (local.get $at)
        (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.load (local.get $at))
          (v128.load (local.get $at1)))
          (v128.load (local.get $at2)))
          (v128.load (local.get $at3)))
          (v128.load (local.get $at4)))
          (v128.load (local.get $at5)))
          (v128.load (local.get $at6))))
      (v128.store offset=16 (local.get $at)
        (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.load offset=16 (local.get $at))
          (v128.load offset=16 (local.get $at1)))
          (v128.load offset=16 (local.get $at2)))
          (v128.load offset=16 (local.get $at3)))
          (v128.load offset=16 (local.get $at4)))
          (v128.load offset=16 (local.get $at5)))
          (v128.load offset=16 (local.get $at6))))
      (v128.store offset=32 (local.get $at)
        (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.load offset=32 (local.get $at))
          (v128.load offset=32 (local.get $at1)))
          (v128.load offset=32 (local.get $at2)))
          (v128.load offset=32 (local.get $at3)))
          (v128.load offset=32 (local.get $at4)))
          (v128.load offset=32 (local.get $at5)))
          (v128.load offset=32 (local.get $at6))))
      (v128.store offset=48 (local.get $at)
        (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.xor (v128.load offset=48 (local.get $at))
          (v128.load offset=48 (local.get $at1)))
          (v128.load offset=48 (local.get $at2)))
          (v128.load offset=48 (local.get $at3)))
          (v128.load offset=48 (local.get $at4)))
          (v128.load offset=48 (local.get $at5)))
          (v128.load offset=48 (local.get $at6))))
      (local.set $at1 (i32.add (local.get $at1) (i32.const 64)))
      (local.set $at2 (i32.add (local.get $at2) (i32.const 64)))
      (local.set $at3 (i32.add (local.get $at3) (i32.const 64)))
      (local.set $at4 (i32.add (local.get $at4) (i32.const 64)))
      (local.set $at5 (i32.add (local.get $at5) (i32.const 64)))
      (local.set $at6 (i32.add (local.get $at6) (local.get $step6)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    ;; What the last step did behind the end does not count.
    (memory.fill (local.get $end) (i32.const 0) (i32.const 64))
    (memory.fill (i32.const 32768) (i32.const 0) (i32.add (local.get $distance1) (i32.const 16)))
    (call $leave (local.get $end) (local.get $distance1))
    (call $leave (local.get $end) (local.get $distance2))
    (call $leave (local.get $end) (local.get $distance3))
    (call $leave (local.get $end) (local.get $distance4))
    (call $leave (local.get $end) (local.get $distance5))
    (call $leave (local.get $end) (local.get $distance6))
    (call $multiply
      (local.get $power)
      (call $bytes (i64.const 0) (i32.const 32768) (local.get $distance1))
      (local.get $polynomial)
      (local.get $bits)))

  ;; CRC register after `length` bytes at `at`.
  (func $bytes (export "bytes") (param $crc i64) (param $at i32) (param $length i32) (result i64)
    (local $end i32) (local $value i64) (local $low i32) (local $high i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $value (i64.xor (local.get $crc) (i64.load (local.get $at))))
        (local.set $low (i32.wrap_i64 (local.get $value)))
        (local.set $high (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 32))))
        (local.set $crc
          (i64.xor
            (i64.xor
              (i64.xor
                (i64.load offset=14336 (i32.and (i32.shl (local.get $low) (i32.const 3)) (i32.const 2040)))
                (i64.load offset=12288 (i32.and (i32.shr_u (local.get $low) (i32.const 5)) (i32.const 2040))))
              (i64.xor
                (i64.load offset=10240 (i32.and (i32.shr_u (local.get $low) (i32.const 13)) (i32.const 2040)))
                (i64.load offset=8192 (i32.and (i32.shr_u (local.get $low) (i32.const 21)) (i32.const 2040)))))
            (i64.xor
              (i64.xor
                (i64.load offset=6144 (i32.and (i32.shl (local.get $high) (i32.const 3)) (i32.const 2040)))
                (i64.load offset=4096 (i32.and (i32.shr_u (local.get $high) (i32.const 5)) (i32.const 2040))))
              (i64.xor
                (i64.load offset=2048 (i32.and (i32.shr_u (local.get $high) (i32.const 13)) (i32.const 2040)))
                (i64.load (i32.and (i32.shr_u (local.get $high) (i32.const 21)) (i32.const 2040)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $at) (local.get $end)))
        (local.set $crc
          (i64.xor (i64.shr_u (local.get $crc) (i64.const 8))
            (i64.load
              (i32.shl
                (i32.and
                  (i32.xor (i32.wrap_i64 (local.get $crc)) (i32.load8_u (local.get $at)))
                  (i32.const 255))
                (i32.const 3)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $crc)))
