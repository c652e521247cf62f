// Groups.java - the JVM's own threads at work: compilers, collector, streams.
import java.util.stream.Collectors;
import java.util.stream.IntStream;

public class Groups {
    public static void main(String[] args) {
        System.out.println(IntStream.range(0, 300000).parallel()
            .mapToObj(i -> "key" + i)
            .collect(Collectors.groupingByConcurrent(s -> s.hashCode() % 1000))
            .size());
    }
}
