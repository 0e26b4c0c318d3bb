package penstock;

import java.io.File;
import java.net.URI;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** Serves s3://BUCKET/KEY from the local folder $FIXTURE_ROOT/BUCKET/KEY, so that tables are written with S3 locations. */
public class FixtureFileSystem extends RawLocalFileSystem {
  private URI uri;

  @Override
  public void initialize(URI name, Configuration conf) throws java.io.IOException {
    super.initialize(URI.create("file:///"), conf);
    this.uri = URI.create(name.getScheme() + "://" + name.getAuthority());
    setConf(conf);
  }

  @Override
  public URI getUri() {
    return uri == null ? URI.create("file:///") : uri;
  }

  @Override
  public String getScheme() {
    return getUri().getScheme();
  }

  @Override
  protected void checkPath(Path path) {}

  @Override
  public File pathToFile(Path path) {
    return new File(System.getenv("FIXTURE_ROOT") + "/" + uri.getAuthority() + path.toUri().getPath());
  }

  private FileStatus qualified(FileStatus status, Path path) {
    return new FileStatus(
        status.getLen(), status.isDirectory(), status.getReplication(), status.getBlockSize(),
        status.getModificationTime(), new Path(uri.toString() + path.toUri().getPath()));
  }

  @Override
  public FileStatus getFileStatus(Path path) throws java.io.IOException {
    File file = pathToFile(path);
    if (!file.exists()) throw new java.io.FileNotFoundException(path.toString());
    return qualified(
        new FileStatus(file.length(), file.isDirectory(), 1, 1 << 25, file.lastModified(), path), path);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws java.io.IOException {
    File file = pathToFile(path);
    if (!file.exists()) throw new java.io.FileNotFoundException(path.toString());
    if (file.isFile()) return new FileStatus[] {getFileStatus(path)};
    String[] names = file.list();
    Arrays.sort(names);
    FileStatus[] found = new FileStatus[names.length];
    for (int i = 0; i < names.length; i++) found[i] = getFileStatus(new Path(path, names[i]));
    return found;
  }
}
