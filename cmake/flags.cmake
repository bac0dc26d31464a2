# Every warning flag has a reason; one that cannot be justified is not here.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # statement expressions in a few macros, __attribute__((cleanup)) in none
set(CMAKE_CXX_STANDARD 17) # only src/json: simdjson and from_chars behind a C header
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON) # the static library must be linkable into shared objects
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)   # clang-tidy reads it

option(MR_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(MR_TSAN "ThreadSanitizer" OFF)
option(MR_FUZZ "libFuzzer targets only (needs clang)" OFF)
option(MR_COVERAGE "gcov instrumentation" OFF)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  -Wall -Wextra -Werror # the common ground
  -Wshadow              # an inner name hiding an outer one has cost everyone a day once
  -Wvla                 # stack use must be known at compile time
  -Wundef               # a mistyped #if is silently 0 otherwise
  -Wpointer-arith       # void * arithmetic is an extension that hides unit mistakes
  -Wformat=2            # format strings are literals
  -fno-strict-aliasing  # decoders read packed bytes; memcpy is the rule, this is the belt
  -fno-omit-frame-pointer # a profile and a core of the release build must be readable
)
add_compile_options(
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> # f() is not f(void)
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes> # everything not static is declared in a header
)
# Hardening that costs next to nothing (asserts stay on in release, so no NDEBUG anywhere).
if(NOT MR_FUZZ AND NOT MR_ASAN AND NOT MR_TSAN)
  add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")

if(MR_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(MR_TSAN)
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(MR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(MR_FUZZING)
endif()
if(MR_COVERAGE)
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

# ccache only saves time; its absence changes nothing.
find_program(MR_CCACHE ccache)
if(MR_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${MR_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MR_CCACHE})
endif()

# mr_room(<name> SOURCES ... DEPS ... [LIBS ...]): one static library per room, includes written "room/file.h".
function(mr_room name)
  cmake_parse_arguments(R "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(mr_${name} STATIC ${R_SOURCES})
  target_include_directories(mr_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  foreach(d IN LISTS R_DEPS)
    target_link_libraries(mr_${name} PUBLIC mr_${d})
  endforeach()
  target_link_libraries(mr_${name} PUBLIC ${R_LIBS})
endfunction()

set(MR_THREADED_ROOMS base http auth remote reports seal wal memstore store catalog server client)

# mr_unit(<room> <file> [EXTRA...]): tests/unit/<room>/<file>.c becomes the test unit/<room>/<file>.
function(mr_unit room file)
  set(t unit_${room}_${file})
  add_executable(${t} ${file}.c)
  target_include_directories(${t} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${t} PRIVATE mr_${room} mr_testlib PkgConfig::CMOCKA ${ARGN})
  add_test(NAME unit/${room}/${file} COMMAND ${t})
  set_tests_properties(unit/${room}/${file} PROPERTIES TIMEOUT 900)
  # Rooms with threads of their own are run again under ThreadSanitizer (libduckdb is not instrumented: no engine).
  if(room IN_LIST MR_THREADED_ROOMS)
    set_tests_properties(unit/${room}/${file} PROPERTIES LABELS threads)
  endif()
endfunction()

# mr_fuzz(<name> DEPS...): fuzz/<name>.c, corpus in fuzz/corpus/<name>/.
function(mr_fuzz name)
  add_executable(fuzz_${name} ${name}.c)
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
