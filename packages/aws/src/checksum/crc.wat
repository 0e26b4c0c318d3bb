;; Reflected CRCs of up to 64 bits, eight bytes at a time (slicing-by-8), over two halves of a block at once: the
;; look-ups of one half do not wait for those of the other, which nearly doubles the rate.
;;
;; Memory: 0 to 16384 eight tables of 256 64-bit values, table 0 for the last byte of eight; data from 65536 on.
;; `pnpm --filter @penstock/aws build:wasm` writes crc-wasm.ts from this file.
(module
  (memory (export "memory") 5)

  ;; macro step REGISTER: the register after the eight bytes at $here. A function would be called once for eight bytes, as
  ;; V8 does not inline it: that takes 1.6 times as long.
  (local.set $value (i64.xor (local.get REGISTER) (i64.load (local.get $here))))
  (local.set $low (i32.wrap_i64 (local.get $value)))
  (local.set $high (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 32))))
  (local.set REGISTER
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
  ;; end macro

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

  ;; CRC register after the two halves at `at`, of `half` bytes each (a multiple of 8); `power` is x^(8 * half).
  (func (export "halves")
    (param $crc i64) (param $at i32) (param $half i32)
    (param $power i64) (param $polynomial i64) (param $bits i64) (result i64)
    (local $second i64) (local $end i32) (local $here i32) (local $value i64) (local $low i32) (local $high i32)
    (local.set $end (i32.add (local.get $at) (local.get $half)))
    (loop $next
      (local.set $here (local.get $at))
      (step $crc)
      (local.set $here (i32.add (local.get $at) (local.get $half)))
      (step $second)
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (i64.xor
      (call $multiply (local.get $power) (local.get $crc) (local.get $polynomial) (local.get $bits))
      (local.get $second)))

  ;; CRC register after `length` bytes at `at`.
  (func (export "bytes") (param $crc i64) (param $at i32) (param $length i32) (result i64)
    (local $end i32) (local $here i32) (local $value i64) (local $low i32) (local $high i32)
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
        (local.set $here (local.get $at))
        (step $crc)
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
