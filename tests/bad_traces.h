/* bad_traces.h - malformed traces, each with the message it must get.
 *
 * X(test_name, text, message): parsed under the name "t", the text must give
 * exactly "t:" message. H is a good header: weight 1, 4 ids, 4 operations. */
#ifndef TESTS_BAD_TRACES_H
#define TESTS_BAD_TRACES_H

#define H "1\n4\n4\n1\n"
#define ABC "a 0 1\na 1 1\na 2 1\n" /* three good operations, lines 5 to 7 */
#define OURS "mmtrace 1\nids 2\nops 2\n"
#define TWO_THREADS OURS "threads 2\n"

#define BAD_HEADERS(X)                                                         \
    X(empty_file, "",                                                          \
      "1: found an empty file, expected `mmtrace 1` or a header number")       \
    X(blank_file, "\n \n",                                                     \
      "3: found end of file, expected `mmtrace 1` or a header number")         \
    X(binary_garbage,                                                          \
      "\x7f"                                                                   \
      "ELF\2\1\1",                                                             \
      "1: found \"\\x7fELF\\x02\\x01\\x01\", expected `mmtrace 1` or a "       \
      "header number")                                                         \
    X(long_garbage_is_shortened, "abcdefghijklmnopqrstuvwxyz\n",               \
      "1: found \"abcdefghijkl...\", expected `mmtrace 1` or a header number") \
    X(nul_byte_in_header,                                                      \
      "1\n\0"                                                                  \
      "2\n",                                                                   \
      "2: found \"\\x002\", expected a second header number")                  \
    X(header_ends_after_one_number, "1\n",                                     \
      "2: found end of file, expected a second header number")                 \
    X(negative_header_number, "1\n-3\n",                                       \
      "2: found \"-3\", expected a header number from 0 to 281474976710656")   \
    X(header_number_overflows_64_bits, "1\n18446744073709551617\n4\n1\n",      \
      "2: found \"184467440737...\", expected a header number from 0 to "      \
      "281474976710656")                                                       \
    X(header_number_with_letters, "1\n4x\n4\n1\n",                             \
      "2: found \"4x\", expected a header number from 0 to 281474976710656")   \
    X(no_weight_in_either_place, "20000\n4\n4\n20000\n" ABC "a 3 1\n",         \
      "4: found 20000, expected a weight from 0 to 3 here or in line 1, "      \
      "which says 20000")                                                      \
    X(zero_operations, "1\n0\n0\n1\n",                                         \
      "3: found 0 operations, expected at least 1")                            \
    X(more_ids_than_operations, "1\n5\n4\n1\n" ABC "a 3 1\n",                  \
      "2: found 5 ids, expected at most 4, the number of operations")          \
    X(four_billion_ids, "1\n4294967295\n4\n1\n" ABC "a 3 1\n",                 \
      "2: found 4294967295 ids, expected at most 4, the number of operations") \
    X(four_billion_operations, "1\n4\n4294967295\n1\n" ABC "a 3 1\n",          \
      "3: found 4294967295 operations announced and 24 bytes for them, "       \
      "expected at least 17179869179: is the file cut short?")                 \
    X(max_live_bytes_not_those_of_the_operations,                              \
      "1\n4\n4\n5\n" ABC "a 3 1\n",                                            \
      "4: found 5 bytes live at most, expected 4 as the operations have it")   \
    X(a_number_too_many_in_the_header, "1\n4\n4\n1\n7\n8\n" ABC "a 3 1\n",     \
      "5: found end of line, expected an operation: a, c, m, r or f")

#define BAD_OURS(X)                                                            \
    X(unknown_version, "mmtrace 2\n", "1: found format version 2, expected 1") \
    X(missing_version, "mmtrace\n",                                            \
      "1: found end of line, expected a format version from 0 to "             \
      "281474976710656")                                                       \
    X(text_after_the_version, "mmtrace 1 2\n",                                 \
      "1: found \"2\", expected end of line")                                  \
    X(missing_ids, "mmtrace 1\nops 1\na 0 1\n",                                \
      "3: found \"a\", expected `ids N`")                                      \
    X(missing_ops, "mmtrace 1\nids 1\na 0 1\n",                                \
      "3: found \"a\", expected `ops N`")                                      \
    X(field_twice, "mmtrace 1\nids 1\nids 1\n",                                \
      "3: found a second `ids`, expected one (line 2)")                        \
    X(unknown_field, OURS "color 3\n",                                         \
      "4: found \"color\", expected an operation: a, c, m, r or f, or a "      \
      "thread, @T")                                                            \
    X(weight_out_of_range, "mmtrace 1\nweight 4\n",                            \
      "2: found \"4\", expected weight from 0 to 3")                           \
    X(no_threads, OURS "threads 0\na 0 1\na 1 1\n",                            \
      "4: found 0 threads, expected 1 to 256")                                 \
    X(too_many_threads, OURS "threads 257\n",                                  \
      "4: found \"257\", expected threads from 0 to 256")                      \
    X(thread_out_of_range, TWO_THREADS "a 0 1\n@2\na 1 1\n",                   \
      "6: found \"2\", expected a thread from 0 to 1")                         \
    X(thread_switch_without_threads, OURS "a 0 1\n@1 a 1 1\n",                 \
      "5: found \"1\", expected a thread from 0 to 0")                         \
    X(thread_without_number, TWO_THREADS "@ a 0 1\n",                          \
      "5: found \"a\", expected a thread from 0 to 1")                         \
    X(thread_without_operations, TWO_THREADS "a 0 1\na 1 1\n",                 \
      "4: found no operation of thread 1, expected some of each of 2 threads") \
    X(thread_switch_behind_the_last_operation,                                 \
      TWO_THREADS "@1\na 0 1\n"                                                \
                  "@0\na 1 1\n@1\n",                                           \
      "9: found \"@1\", expected end of file: line 3 says 2 operations")       \
    X(calloc_product_too_large, OURS "c 0 70368744177664 3\na 1 1\n",          \
      "4: found 70368744177664 * 3 bytes, expected at most 140737488355327")   \
    X(calloc_product_overflows_64_bits,                                        \
      OURS "c 0 70368744177664 70368744177664\na 1 1\n",                       \
      "4: found 70368744177664 * 70368744177664 bytes, expected at most "      \
      "140737488355327")                                                       \
    X(calloc_without_element_size, OURS "c 0 7\na 1 1\n",                      \
      "4: found end of line, expected an element size from 0 to "              \
      "140737488355327")                                                       \
    X(calloc_without_anything, OURS "c 0\na 1 1\n",                            \
      "4: found end of line, expected a number of elements from 0 to "         \
      "140737488355327")                                                       \
    X(alignment_not_a_power_of_two, OURS "m 0 24 8\na 1 1\n",                  \
      "4: found alignment 24, expected a power of two")                        \
    X(alignment_zero, OURS "m 0 0 8\na 1 1\n",                                 \
      "4: found alignment 0, expected a power of two")                         \
    X(alignment_too_large, OURS "m 0 2147483648 8\na 1 1\n",                   \
      "4: found \"2147483648\", expected an alignment from 0 to 1073741824")   \
    X(comment_glued_to_a_number, OURS "a 0 1#x\na 1 1\n",                      \
      "4: found \"1#x\", expected a size from 0 to 140737488355327")

#define BAD_OPS(X)                                                             \
    X(unknown_operation, H ABC "x 3 1\n",                                      \
      "8: found \"x\", expected an operation: a, c, m, r or f")                \
    X(operation_of_two_letters, H ABC "ab 3 1\n",                              \
      "8: found \"ab\", expected an operation: a, c, m, r or f")               \
    X(binary_garbage_among_operations, H ABC "\xff\xfe\n1234",                 \
      "8: found \"\\xff\\xfe\", expected an operation: a, c, m, r or f")       \
    X(nul_byte_among_operations,                                               \
      H ABC "a\0"                                                              \
            "3 1\n",                                                           \
      "8: found \"a\\x003\", expected an operation: a, c, m, r or f")          \
    X(comment_in_an_old_file, H ABC "# a 3 1\n",                               \
      "8: found \"#\", expected an operation: a, c, m, r or f")                \
    X(missing_id, H ABC "a\n   ",                                              \
      "8: found end of line, expected an id from 0 to 3")                      \
    X(id_out_of_range, H ABC "a 4 1\n",                                        \
      "8: found \"4\", expected an id from 0 to 3")                            \
    X(id_overflows_32_bits, H ABC "a 4294967299 1\n",                          \
      "8: found \"4294967299\", expected an id from 0 to 3")                   \
    X(negative_id, H ABC "a -1 1\n",                                           \
      "8: found \"-1\", expected an id from 0 to 3")                           \
    X(id_with_a_sign, H ABC "a +3 1\n",                                        \
      "8: found \"+3\", expected an id from 0 to 3")                           \
    X(hexadecimal_id, H ABC "a 0x3 1\n",                                       \
      "8: found \"0x3\", expected an id from 0 to 3")                          \
    X(id_where_there_are_none, "1\n0\n1\n1\na 0 1\n",                          \
      "5: found \"0\", expected no id: line 2 says 0 ids")                     \
    X(missing_size, H ABC "a 3\n",                                             \
      "8: found end of line, expected a size from 0 to 140737488355327")       \
    X(missing_size_at_end_of_file, H ABC "a 3",                                \
      "8: found end of file, expected a size from 0 to 140737488355327")       \
    X(negative_size, H ABC "a 3 -8\n",                                         \
      "8: found \"-8\", expected a size from 0 to 140737488355327")            \
    X(fractional_size, H ABC "a 3 1.5\n",                                      \
      "8: found \"1.5\", expected a size from 0 to 140737488355327")           \
    X(huge_size, H ABC "a 3 140737488355328\n",                                \
      "8: found \"140737488355...\", expected a size from 0 to "               \
      "140737488355327")                                                       \
    X(size_overflows_64_bits, H ABC "a 3 18446744073709551624\n",              \
      "8: found \"184467440737...\", expected a size from 0 to "               \
      "140737488355327")                                                       \
    X(huge_sizes_in_all, H ABC "a 3 140737488355327\n",                        \
      "8: found 140737488355330 live bytes in all, expected at most "          \
      "140737488355327")                                                       \
    X(size_of_a_realloc_too_large, H ABC "r 2 140737488355328\n",              \
      "8: found \"140737488355...\", expected a size from 0 to "               \
      "140737488355327")                                                       \
    X(trailing_number, H ABC "a 3 1 2\n",                                      \
      "8: found \"2\", expected end of line")                                  \
    X(size_after_a_free, H ABC "f 0 1\n",                                      \
      "8: found \"1\", expected end of line")                                  \
    X(carriage_return_within_a_line, H ABC "a 3\r 1\n",                        \
      "8: found \"\\x0d\", expected a size from 0 to 140737488355327")         \
    X(double_allocation, H ABC "a 1 1\n",                                      \
      "8: found id 1 allocated while live, expected `f 1` before: see line 6") \
    X(allocation_of_what_realloc_made, H "r 0 5\na 1 1\na 0 1\na 2 1\n",       \
      "7: found id 0 allocated while live, expected `f 0` before: see line 5") \
    X(free_of_an_id_never_allocated, H ABC "f 3\n",                            \
      "8: found `f 3`, expected a live id: it was never allocated")            \
    X(double_free, H "a 0 1\nf 0\nf 0\na 1 1\n",                               \
      "7: found `f 0`, expected a live id: it was freed in line 6")            \
    X(free_after_realloc_to_nothing, H "a 0 1\nr 0 0\nf 0\na 1 1\n",           \
      "7: found `f 0`, expected a live id: it was freed in line 6")            \
    X(free_of_minus_two, H ABC "f -2\n",                                       \
      "8: found \"-2\", expected an id from 0 to 3")                           \
    X(fewer_operations_than_announced, H ABC "\n\n\n",                         \
      "11: found end of file after 3 operations, expected 4 as line 3 says")   \
    X(more_operations_than_announced, H ABC "a 3 1\nf 3\n",                    \
      "9: found \"f\", expected end of file: line 3 says 4 operations")        \
    X(garbage_behind_the_last_operation, H ABC "a 3 1\nEOF\n",                 \
      "9: found \"EOF\", expected end of file: line 3 says 4 operations")

#define BAD_THREAD_COLUMNS(X)                                                  \
    X(thread_column_ends, "2\n2\n0 a 0 1\na 1 1\n",                            \
      "4: found \"a\", expected a thread from 0 to 281474976710656")           \
    X(thread_column_without_operation, "2\n2\n0 a 0 1\n1\n   \n",              \
      "4: found end of line, expected an operation: a, c, m, r or f")          \
    X(thread_column_at_end_of_file, "2\n2\n0 a 0 1\n1",                        \
      "4: found end of file, expected an operation: a, c, m, r or f")

#endif
